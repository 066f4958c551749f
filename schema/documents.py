"""From the text of a document to something that may be executed, within limits.

Parsing and validation cost a hundred times more than executing, and clients send few distinct
documents: what was found about a text, good or bad, is remembered.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import NoSchemaIntrospectionCustomRule as NoIntrospection

from infra.limits import DEFAULTS, Limits, beyond
from schema.compiled.plan import Plan, plan_of
from schema.cost import Cost, cost_of

ERRORS_SHOWN = 10  # of one document
REMEMBERED_DOCUMENTS = 500
REMEMBERED_CHARACTERS = 20_000  # a longer document is prepared anew each time

PARSE_FAILED = {"code": "GRAPHQL_PARSE_FAILED"}
VALIDATION_FAILED = {"code": "GRAPHQL_VALIDATION_FAILED"}


class Prepared(NamedTuple):
    """A valid document, the operation in it that is meant, the names of its root fields, what it
    costs, and the plan for it, if it has one."""

    document: DocumentNode
    operation: OperationDefinitionNode
    plan: Plan | None
    cost: Cost
    root_fields: tuple[str, ...]

    @property
    def kind(self) -> OperationType:
        return self.operation.operation


class Documents:
    """Prepares documents for one schema. A text is read once, whatever operations are named."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits = DEFAULTS, is_open: bool = True
    ) -> None:
        self.schema = schema
        self.limits = limits
        self.rules = specified_rules if is_open else (*specified_rules, NoIntrospection)
        self.hides = not is_open
        self.remembered = lru_cache(REMEMBERED_DOCUMENTS)(self.read)
        self.chosen = lru_cache(REMEMBERED_DOCUMENTS)(self.choose)

    def prepare(self, text: str, operation_name: str | None) -> Prepared | list[GraphQLError]:
        is_short = len(text) + len(operation_name or "") <= REMEMBERED_CHARACTERS
        return (self.chosen if is_short else self.choose)(text, operation_name)

    def choose(self, text: str, operation_name: str | None) -> Prepared | list[GraphQLError]:
        found = self.remembered(text) if len(text) <= REMEMBERED_CHARACTERS else self.read(text)
        if isinstance(found, list):
            return found
        operation = get_operation_ast(found, operation_name)
        if operation is None:
            message = "name one of the document's operations in operationName"
            return [GraphQLError(message, extensions=VALIDATION_FAILED)]
        cost = cost_of(self.schema, found, operation)
        if cost.is_fixed and (problem := self.too_dear(cost, {})):
            return [problem]
        plan = plan_of(self.schema, found, operation)
        return Prepared(found, operation, plan, cost, root_fields_of(found, operation))

    def too_dear(self, cost: Cost, variables: Mapping[str, object]) -> GraphQLError | None:
        """Looked at once for all requests, where no page's size is a variable."""
        if cost.largest_page(variables) > self.limits.page_limit:
            return self.problem("page_limit", "a page has more items than are allowed")
        price = cost.of(variables)
        if price > self.limits.cost_limit:
            return self.problem("cost_limit", f"the operation costs {price}", cost=price)
        return None

    def problem(self, limit: str, message: str, **facts: object) -> GraphQLError:
        said = beyond(self.limits, limit)
        message = f"{message}: {said['limit']} at most ({said['setting']})"
        return GraphQLError(message, extensions={**said, **facts})

    def read(self, text: str) -> DocumentNode | list[GraphQLError]:
        limit = self.limits.tokens_limit
        try:
            document = parse(text, no_location=False, max_tokens=limit)
        except GraphQLError as error:
            if f"more than {limit} tokens" in error.message:
                return [self.problem("tokens_limit", "the document has too many tokens")]
            return [coded(error, PARSE_FAILED)]
        return self.checked(document) or document

    def checked(self, document: DocumentNode) -> list[GraphQLError]:
        """What is wrong with it, whatever operation of it is meant."""
        if problem := self.beyond_limits(document):
            return [problem]
        errors = validate(
            self.schema, document, self.rules, max_errors=ERRORS_SHOWN, hide_suggestions=self.hides
        )
        return [coded(error, VALIDATION_FAILED) for error in errors]

    def beyond_limits(self, document: DocumentNode) -> GraphQLError | None:
        """Before validation, whose work grows with the square of what it is given."""
        limits = self.limits
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        if len(operations) > limits.operations_limit:
            return self.problem("operations_limit", "the document has too many operations")
        aliases = 0
        for depth, selections in selection_sets(document):
            fields = [node for node in selections.selections if isinstance(node, FieldNode)]
            aliases += sum(1 for field in fields if field.alias)
            if aliases > limits.aliases_limit:
                return self.problem("aliases_limit", "the document has too many aliases")
            if len(selections.selections) > limits.fields_limit:
                return self.problem("fields_limit", "a selection has too many fields")
            if depth > limits.depth_limit:
                return self.problem("depth_limit", "fields are nested too deep")
        return None


def coded(error: GraphQLError, extensions: dict[str, str]) -> GraphQLError:
    return GraphQLError(
        error.message,
        error.nodes,
        error.source,
        error.positions,
        extensions=dict(extensions),
    )


def selection_sets(document: DocumentNode) -> Iterator[tuple[int, SelectionSetNode]]:
    """Every selection set and how many fields lie above it, fragments followed, introspection left
    out. A fragment is followed once from each depth, so cycles end at the limit."""
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    waiting = [
        (1, node.selection_set)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    ]
    followed: set[tuple[int, str]] = set()
    while waiting:
        depth, selections = waiting.pop()
        yield depth, selections
        for node in selections.selections:
            below = selection_set_of(node, fragments)
            spread = (depth, node.name.value) if isinstance(node, FragmentSpreadNode) else None
            if below is not None and spread not in followed:
                waiting.append((depth + isinstance(node, FieldNode), below))
            if spread is not None:
                followed.add(spread)


def root_fields_of(document: DocumentNode, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """One for each key of the answer, in fragments too."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    waiting: list[SelectionSetNode] = [operation.selection_set]
    found: dict[str, str] = {}
    while waiting:
        for node in waiting.pop().selections:
            match node:
                case FieldNode():
                    found[(node.alias or node.name).value] = node.name.value
                case InlineFragmentNode():
                    waiting.append(node.selection_set)
                case FragmentSpreadNode() if node.name.value in fragments:
                    waiting.append(fragments.pop(node.name.value).selection_set)
    return tuple(found.values())


def selection_set_of(
    node: SelectionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> SelectionSetNode | None:
    match node:
        case FieldNode():
            return None if node.name.value.startswith("__") else node.selection_set
        case InlineFragmentNode():
            return node.selection_set
        case FragmentSpreadNode() if node.name.value in fragments:
            return fragments[node.name.value].selection_set
    return None
