"""A plan: how one operation goes from variables to the data of its answer, by the same resolver
that Strawberry would call, without graphql-core.

It covers operations with one root field, without directives, all of whose other fields are plain
attributes; everything else has no plan.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_leaf_type,
    type_from_ast,
)
from graphql.utilities import coerce_input_literal

from schema.compiled.inputs import (
    MISSING,
    Coerce,
    Slot,
    Uncovered,
    coercer_of,
    filled,
    reader_of,
    slots_of,
)
from schema.compiled.outputs import Write, Writers
from schema.context import Context

DEFINITION = "strawberry-definition"


class Info(NamedTuple):
    """All that a resolver here may ask of Strawberry's Info."""

    context: Context


class Declared(NamedTuple):
    """A variable: `default` is MISSING where it may be left out."""

    name: str
    coerce: Coerce
    default: Any
    is_required: bool


class Argument(NamedTuple):
    """`name` is the schema's, `parameter` the resolver's."""

    name: str
    parameter: str
    convert: Coerce


class Plan(NamedTuple):
    key: str
    variables: tuple[Declared, ...]
    slots: tuple[Slot, ...]
    arguments: tuple[Argument, ...]
    call: Callable[..., Coroutine[Any, Any, Any]]
    write: Write

    def given(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as graphql-core would give them to the field; or Uncovered."""
        coerced = {}
        for name, coerce, default, is_required in self.variables:
            value = variables.get(name, MISSING)
            if value is not MISSING:
                coerced[name] = coerce(value)
            elif default is not MISSING:
                coerced[name] = default
            elif is_required:
                raise Uncovered
        return filled(self.slots, coerced)

    async def resolve(self, context: Context, given: Mapping[str, Any]) -> Any:
        arguments = {
            parameter: convert(given[name])
            for name, parameter, convert in self.arguments
            if name in given
        }
        return await self.call(None, Info(context), **arguments)

    def shown(self, context: Context, value: Any) -> dict[str, Any]:
        """The data of the answer."""
        return {self.key: self.write(value, Info(context))}


def plan_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Plan | None:
    """None where there is none for a valid document."""
    try:
        return planned(schema, document, operation)
    except Uncovered:
        return None


def planned(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Plan:
    root = schema.get_root_type(operation.operation)
    selections = operation.selection_set.selections
    is_alone = len(selections) == 1 and not operation.directives
    node = selections[0]
    if operation.operation is OperationType.SUBSCRIPTION or root is None or not is_alone:
        raise Uncovered
    if not isinstance(node, FieldNode) or node.directives or node.name.value not in root.fields:
        raise Uncovered
    field = root.fields[node.name.value]
    written = {argument.name.value: argument.value for argument in node.arguments or ()}
    definitions = document.definitions
    fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
    return Plan(
        node.alias.value if node.alias else node.name.value,
        variables_of(schema, operation),
        slots_of(field.args, lambda name, one: reader_of(written.get(name), one.type)),
        arguments_of(field),
        call_of(field),
        Writers(schema, fragments).of(field.type, [node]),
    )


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> tuple[Declared, ...]:
    found = []
    for node in operation.variable_definitions or ():
        given = type_from_ast(schema, node.type)
        assert given is not None
        default = MISSING
        if node.default_value is not None:
            default = coerce_input_literal(node.default_value, given)  # type: ignore[arg-type]
        is_required = isinstance(given, GraphQLNonNull)
        name = node.variable.name.value
        coerce = coercer_of(given)  # type: ignore[arg-type]
        found.append(Declared(name, coerce, default, is_required))
    return tuple(found)


def arguments_of(field: GraphQLField) -> tuple[Argument, ...]:
    declared = {one.python_name: one for one in field.extensions[DEFINITION].arguments}
    by_name = dict(zip(field.args, declared, strict=True))
    return tuple(
        Argument(name, by_name[name], converter_of(argument.type))
        for name, argument in field.args.items()
    )


def converter_of(given: GraphQLInputType) -> Coerce:
    """Strawberry's part: an input object becomes what its type makes of it."""
    inner = given.of_type if isinstance(given, GraphQLNonNull) else given
    if is_leaf_type(inner):
        return lambda value: value
    if is_leaf_type(get_named_type(given)):
        return lambda values: None if values is None else list(values)
    if not isinstance(inner, GraphQLInputObjectType):
        raise Uncovered
    definition = inner.extensions[DEFINITION]
    make, origin = definition.from_input, definition.origin
    if make is None:
        raise Uncovered
    return lambda raw: None if raw is None else make(origin, raw, None)


def call_of(field: GraphQLField) -> Callable[..., Coroutine[Any, Any, Any]]:
    """The resolver itself, if all it wants is the info and its arguments."""
    declared = field.extensions[DEFINITION]
    if declared.base_resolver is None or declared.extensions or declared.permission_classes:
        raise Uncovered
    call: Callable[..., Coroutine[Any, Any, Any]] = declared.base_resolver.wrapped_func
    first, second, *others = [*inspect.signature(call).parameters, "", ""]
    names = {one.python_name for one in declared.arguments} | {""}
    is_usual = (first, second) == ("self", "info") and set(others) == names
    if not is_usual or not inspect.iscoroutinefunction(call):
        raise Uncovered
    return call
