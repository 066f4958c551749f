"""From the variables of a request, as JSON gave them, to the arguments of a resolver.

Coercers are made once per document. They know only what is plainly right: for anything else they
raise Uncovered, and graphql-core says what is wrong with it, or takes it all the same.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_leaf_type,
)
from graphql.utilities import coerce_input_literal

INT_LIMIT = 2**31
DEPTH_LIMIT = 8
"""Inputs within inputs; one that holds itself never ends."""
TEXTS = frozenset({"String", "ID"})
MISSING: Any = object()

Variables = Mapping[str, Any]
Coerce = Callable[[Any], Any]
Read = Callable[[Variables], Any]


class Uncovered(Exception):
    """Not for a plan: graphql-core has to look at it."""


class Slot(NamedTuple):
    """A field of an input, or an argument. `default` is MISSING where it may be left out."""

    name: str
    read: Read
    default: Any
    is_required: bool


def coercer_of(given: GraphQLInputType, depth: int = 0) -> Coerce:
    if depth > DEPTH_LIMIT:
        raise Uncovered
    if isinstance(given, GraphQLNonNull):
        return present(given.of_type, depth)
    coerce = present(given, depth)
    return lambda value: None if value is None else coerce(value)


def present(given: GraphQLInputType, depth: int) -> Coerce:
    """For values that are not null."""
    if isinstance(given, GraphQLList):
        return many(coercer_of(given.of_type, depth + 1))
    if isinstance(given, GraphQLInputObjectType):
        slots = slots_of(given.fields, lambda name, field: plain(name, field.type, depth + 1))
        return fields(given, slots)
    if isinstance(given, GraphQLScalarType) and given.name in TEXTS:
        return text
    if isinstance(given, GraphQLScalarType) and given.name == "Int":
        return whole
    assert is_leaf_type(given)
    return leaf(given.coerce_input_value)


def plain(name: str, given: GraphQLInputType, depth: int) -> Read:
    coerce = coercer_of(given, depth)

    def read(values: Variables) -> Any:
        value = values.get(name, MISSING)
        return value if value is MISSING else coerce(value)

    return read


def text(value: Any) -> str:
    if type(value) is str:
        return value
    raise Uncovered


def whole(value: Any) -> int:
    if type(value) is int and -INT_LIMIT <= value < INT_LIMIT:
        return value
    raise Uncovered


def leaf(coerce: Coerce) -> Coerce:
    def coerced(value: Any) -> Any:
        try:
            return coerce(value)
        except Exception as error:
            raise Uncovered from error

    return coerced


def many(item: Coerce) -> Coerce:
    def coerced(values: Any) -> list[Any]:
        if type(values) is not list:
            raise Uncovered
        return [item(value) for value in values]

    return coerced


def fields(given: GraphQLInputObjectType, slots: tuple[Slot, ...]) -> Coerce:
    if given.is_one_of or given.out_type is not GraphQLInputObjectType.out_type:
        raise Uncovered
    names = frozenset(given.fields)

    def coerced(values: Any) -> dict[str, Any]:
        if type(values) is not dict or not names.issuperset(values):
            raise Uncovered
        return filled(slots, values)

    return coerced


def slots_of(
    declared: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField],
    reader: Callable[[str, Any], Read],
) -> tuple[Slot, ...]:
    slots = []
    for name, one in declared.items():
        if one.out_name is not None:
            raise Uncovered
        default = MISSING if one.default_value is Undefined else one.default_value
        is_required = isinstance(one.type, GraphQLNonNull)
        slots.append(Slot(name, reader(name, one), default, is_required))
    return tuple(slots)


def filled(slots: tuple[Slot, ...], values: Variables) -> dict[str, Any]:
    found = {}
    for name, read, default, is_required in slots:
        value = read(values)
        if value is MISSING:
            value = default
        if value is not MISSING:
            found[name] = value
        if is_required and (value is None or value is MISSING):
            raise Uncovered
    return found


def reader_of(node: ValueNode | None, given: GraphQLInputType, depth: int = 0) -> Read:
    """What a value written in a document is, given the variables; MISSING if it is left out."""
    if node is None:
        return lambda _variables: MISSING
    if isinstance(node, VariableNode):
        name = node.name.value
        return lambda variables: variables.get(name, MISSING)
    inner = given.of_type if isinstance(given, GraphQLNonNull) else given
    if has_variables(node) and depth <= DEPTH_LIMIT:
        return composed(node, inner, depth)
    constant = coerce_input_literal(node, given)
    if constant is Undefined:
        raise Uncovered
    return lambda _variables: constant


def composed(node: ValueNode, given: GraphQLInputType, depth: int) -> Read:
    """A list or an object with variables somewhere in it."""
    if isinstance(node, ListValueNode) and isinstance(given, GraphQLList):
        inner = given.of_type
        items = [reader_of(value, inner, depth + 1) for value in node.values]
        return lambda variables: [item(inner, read(variables)) for read in items]
    if isinstance(node, ObjectValueNode) and isinstance(given, GraphQLInputObjectType):
        written = {field.name.value: field.value for field in node.fields}
        slots = slots_of(
            given.fields, lambda name, field: reader_of(written.get(name), field.type, depth + 1)
        )
        fields(given, slots)
        return lambda variables: filled(slots, variables)
    raise Uncovered


def item(given: GraphQLInputType, value: Any) -> Any:
    """In a list, a variable that was left out is null."""
    value = None if value is MISSING else value
    if value is None and isinstance(given, GraphQLNonNull):
        raise Uncovered
    return value


def has_variables(node: ValueNode) -> bool:
    match node:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(has_variables, node.values))
        case ObjectValueNode():
            return any(has_variables(field.value) for field in node.fields)
    return False
