"""graphql-core's executor, with a short road for fields that are plain leaves.

Most of an answer is scalars read off a value, and the general road (a path, a resolve info, five
calls per field) costs more than all the rest. What is unusual is left to it: it knows how to tell.
"""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from types import CoroutineType
from typing import Any, NamedTuple, TypeGuard

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_leaf_type,
)
from graphql.execution import Executor

ATTRIBUTE = "attribute"
"""Key in a field's extensions: the attribute of the value that the field shows."""


class Leaf(NamedTuple):
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    is_required: bool


Leaves = dict[GraphQLObjectType, dict[str, Leaf]]


def leaves_of(schema: GraphQLSchema) -> Leaves:
    leaves: Leaves = {}
    for graphql_type in schema.type_map.values():
        if isinstance(graphql_type, GraphQLObjectType):
            found = {name: leaf_of(field) for name, field in graphql_type.fields.items()}
            leaves[graphql_type] = {name: leaf for name, leaf in found.items() if leaf}
            leaves[graphql_type]["__typename"] = type_name(graphql_type.name)
    return leaves


def type_name(name: str) -> Leaf:
    return Leaf(lambda _value: name, str, is_required=True)


def leaf_of(field: GraphQLField) -> Leaf | None:
    is_required = isinstance(field.type, GraphQLNonNull)
    inner = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    attribute = field.extensions.get(ATTRIBUTE)
    if attribute is None or not is_leaf_type(inner):
        return None
    return Leaf(attrgetter(attribute), inner.coerce_output_value, is_required)


def is_awaitable(value: object) -> TypeGuard[Awaitable[Any]]:
    """Resolvers here are coroutine functions; nothing else is ever awaited."""
    return type(value) is CoroutineType


def executor_for(schema: GraphQLSchema) -> type[Executor[Any]]:
    leaves = leaves_of(schema)

    class PlainExecutor(Executor[Any]):
        def execute_fields(
            self,
            parent_type: GraphQLObjectType,
            source_value: Any,
            path: Any,
            grouped_field_set: Any,
            position_context: Any,
        ) -> Any:
            answer, rest = plain_fields(leaves[parent_type], source_value, grouped_field_set)
            if not rest:
                return answer
            others: Any = super().execute_fields(
                parent_type, source_value, path, rest, position_context
            )
            return joined(answer, others) if is_awaitable(others) else answer | others

    return PlainExecutor


async def joined(answer: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return answer | await others


def plain_fields(
    leaves: dict[str, Leaf], source: object, fields: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that could be read off the value, in the order of all, with null for each that is
    left; and those that are left to the general road: all of them, if any value did not fit."""
    answer: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    try:
        for key, details in fields.items():
            leaf = leaves.get(details[0].node.name.value)
            value = None if leaf is None else leaf.read(source)
            answer[key] = leaf.write(value) if leaf is not None and value is not None else None
            if leaf is None or (value is None and leaf.is_required):
                rest[key] = details
    except (GraphQLError, TypeError, ValueError, AttributeError):
        return {}, fields
    return answer, rest
