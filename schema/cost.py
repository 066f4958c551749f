"""What an operation costs, worked out once for its document: docs/limits.md has the weights.

A page costs its size times its items. Where sizes are variables the cost is a sum of products, so
that with the variables of a request it is told by a few multiplications.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
)
from graphql.type import GraphQLCompositeType

OBJECT = 1  # a field that holds an object; leaves cost nothing
ROOT = {OperationType.QUERY: 1, OperationType.MUTATION: 10, OperationType.SUBSCRIPTION: 10}
INTROSPECTION = {"__schema": 5_000, "__type": 500}  # all below it included; it blocks the process
LIST_SIZE = 10  # items that are reckoned for a list without pages
PAGES = "first"  # the argument that says how many items a page has
CONNECTION = "Connection"


class Size(NamedTuple):
    """A page's size that a request says, and what it is if the request does not."""

    variable: str
    default: int

    def among(self, variables: Mapping[str, object]) -> int:
        """What does not fit is told when the variables are coerced."""
        given = variables.get(self.variable)
        is_number = isinstance(given, int) or (isinstance(given, float) and given.is_integer())
        return max(0, int(given)) if is_number else self.default  # type: ignore[call-overload]


Product = tuple[Size, ...]
Sum = dict[Product, int]
"""What each product of sizes is multiplied by; the empty one is what is always paid."""


class Cost(NamedTuple):
    sizes: frozenset[Size]
    largest: int
    terms: tuple[tuple[Product, int], ...]

    @property
    def is_fixed(self) -> bool:
        return not self.sizes

    def largest_page(self, variables: Mapping[str, object]) -> int:
        return max([self.largest, *(size.among(variables) for size in self.sizes)])

    def of(self, variables: Mapping[str, object]) -> int:
        total = 0
        for product, times in self.terms:
            for size in product:
                times *= size.among(variables)
            total += times
        return total


def cost_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Cost:
    """Of an operation in a valid document."""
    pricing = Pricing(schema, document, operation)
    total: Sum = defaultdict(int)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    add(total, pricing.of(root, operation.selection_set, ROOT[operation.operation]))
    return Cost(frozenset(pricing.sizes), pricing.largest, tuple(total.items()))


class Pricing:
    """`sizes` and `largest` are gathered on the way: of all pages, whatever is shown of them."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self.schema = schema
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.defaults = {
            node.variable.name.value: node.default_value
            for node in operation.variable_definitions or ()
        }
        self.known: dict[tuple[str, int], Sum] = {}
        self.sizes: set[Size] = set()
        self.largest = 0

    def of(self, parent: GraphQLCompositeType, selections: SelectionSetNode, weight: int) -> Sum:
        """`weight` is that of a field that holds an object. A field that is written twice is paid
        twice."""
        total: Sum = defaultdict(int)
        for node in selections.selections:
            match node:
                case FieldNode():
                    add(total, self.of_field(parent, node, weight))
                case InlineFragmentNode():
                    name = node.type_condition.name.value if node.type_condition else parent.name
                    add(total, self.of(self.composite(name), node.selection_set, weight))
                case FragmentSpreadNode():
                    add(total, self.of_fragment(node.name.value, weight))
        return total

    def of_fragment(self, name: str, weight: int) -> Sum:
        """Once for all that spread it."""
        found = self.known.get((name, weight))
        if found is None:
            node = self.fragments[name]
            found = self.of(
                self.composite(node.type_condition.name.value), node.selection_set, weight
            )
            self.known[name, weight] = found
        return found

    def of_field(self, parent: GraphQLCompositeType, node: FieldNode, weight: int) -> Sum:
        name = node.name.value
        if name.startswith("__"):
            return {(): INTROSPECTION.get(name, 0)}
        field = self.schema.get_field(parent, name)
        assert field is not None
        below = get_named_type(field.type)
        if not is_composite_type(below) or node.selection_set is None:
            return {(): weight if weight != OBJECT else 0}
        inner = self.of(below, node.selection_set, OBJECT)
        size = self.size_of(parent, field, node)
        own = 0 if parent.name.endswith(CONNECTION) else weight
        total: Sum = defaultdict(int, {(): own})
        for product, times in inner.items():
            if isinstance(size, Size):
                total[tuple(sorted((*product, size)))] += times
            else:
                total[product] += times * size
        return total

    def size_of(
        self, parent: GraphQLCompositeType, field: GraphQLField, node: FieldNode
    ) -> Size | int:
        """How often what lies below is paid. The edges of a page have been counted above it."""
        if PAGES in field.args:
            written = [one.value for one in node.arguments or () if one.name.value == PAGES]
            return self.page(field.args[PAGES], written[0] if written else None)
        is_counted = parent.name.endswith(CONNECTION)
        return LIST_SIZE if holds_list(field.type) and not is_counted else 1

    def page(self, argument: GraphQLArgument, written: ValueNode | None) -> Size | int:
        default = argument.default_value if isinstance(argument.default_value, int) else LIST_SIZE
        if isinstance(written, VariableNode):
            name = written.name.value
            size = Size(name, number_in(self.defaults.get(name), default))
            self.sizes.add(size)
            return size
        self.largest = max(self.largest, number_in(written, default))
        return number_in(written, default)

    def composite(self, name: str) -> GraphQLCompositeType:
        found = self.schema.type_map[name]
        assert is_composite_type(found)
        return found


def number_in(node: ValueNode | None, default: int) -> int:
    """Null is a page of the usual size."""
    return max(0, int(node.value)) if isinstance(node, IntValueNode) else default


def holds_list(type_: GraphQLOutputType) -> bool:
    return is_list_type(type_.of_type if isinstance(type_, GraphQLNonNull) else type_)


def add(total: Sum, more: Mapping[Product, int]) -> None:
    for product, times in more.items():
        total[product] = total.get(product, 0) + times
