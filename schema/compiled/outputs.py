"""From what a service answers to what the client asked to see of it.

A writer is made once per document and selection. Where a value does not fit, it raises, and
graphql-core is given the same value to say so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    is_abstract_type,
    is_leaf_type,
)

from schema.compiled.inputs import TEXTS, Uncovered
from schema.executor import ATTRIBUTE

Write = Callable[[Any, Any], Any]
"""Of a value and of what stands for a resolve info: its `context` is the operation's."""


class Shown(NamedTuple):
    key: str
    read: Callable[[Any], Any]
    write: Write


class Writers(NamedTuple):
    """Makes writers for one document."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]

    def of(self, given: GraphQLOutputType, nodes: list[FieldNode]) -> Write:
        if isinstance(given, GraphQLNonNull):
            return required(self.present(given.of_type, nodes))
        return optional(self.present(given, nodes))

    def present(self, given: GraphQLOutputType, nodes: list[FieldNode]) -> Write:
        """For values that are not null."""
        if is_leaf_type(given):
            return leaf(given.name in TEXTS, given.coerce_output_value)
        if isinstance(given, GraphQLList):
            return many(self.of(given.of_type, nodes))
        selections = [node.selection_set for node in nodes if node.selection_set is not None]
        if isinstance(given, GraphQLObjectType):
            return fields(self.fields_of(given, selections))
        assert is_abstract_type(given)
        if given.resolve_type is None:
            raise Uncovered
        return one_of(
            given.resolve_type,
            given,
            {
                possible.name: fields(self.fields_of(possible, selections))
                for possible in self.schema.get_possible_types(given)
            },
        )

    def fields_of(
        self, given: GraphQLObjectType, selections: Iterable[SelectionSetNode]
    ) -> tuple[Shown, ...]:
        found: dict[str, list[FieldNode]] = {}
        for selection in selections:
            for node in self.collected(given, selection):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
        return tuple(self.shown(given, key, nodes) for key, nodes in found.items())

    def collected(
        self, given: GraphQLObjectType, selection: SelectionSetNode
    ) -> Iterator[FieldNode]:
        """The fields that are asked of this type, in the order of the document."""
        for node in selection.selections:
            if node.directives:
                raise Uncovered
            if isinstance(node, FieldNode):
                yield node
            elif self.applies(node, given):
                yield from self.collected(given, self.inside(node))

    def inside(self, node: SelectionNode) -> SelectionSetNode:
        if isinstance(node, FragmentSpreadNode):
            return self.fragments[node.name.value].selection_set
        assert isinstance(node, InlineFragmentNode)
        return node.selection_set

    def applies(self, node: SelectionNode, given: GraphQLObjectType) -> bool:
        on = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        assert isinstance(on, FragmentDefinitionNode | InlineFragmentNode)
        if on.type_condition is None or on.type_condition.name.value == given.name:
            return True
        wanted = self.schema.type_map[on.type_condition.name.value]
        return is_abstract_type(wanted) and self.schema.is_sub_type(wanted, given)

    def shown(self, given: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Shown:
        name = nodes[0].name.value
        if name == "__typename":
            return Shown(key, itself, lambda _value, _info: given.name)
        field = given.fields[name]
        if ATTRIBUTE not in field.extensions:
            raise Uncovered
        return Shown(key, attrgetter(field.extensions[ATTRIBUTE]), self.of(field.type, nodes))


def itself(value: Any) -> Any:
    return value


def required(write: Write) -> Write:
    def written(value: Any, info: Any) -> Any:
        if value is None:
            raise Uncovered
        return write(value, info)

    return written


def optional(write: Write) -> Write:
    return lambda value, info: None if value is None else write(value, info)


def leaf(is_text: bool, coerce: Callable[[Any], Any]) -> Write:
    def written(value: Any, _info: Any) -> Any:
        return value if is_text and type(value) is str else coerce(value)

    return written


def many(write: Write) -> Write:
    def written(values: Any, info: Any) -> list[Any]:
        if not isinstance(values, list | tuple):
            raise Uncovered
        return [write(value, info) for value in values]

    return written


def fields(shown: tuple[Shown, ...]) -> Write:
    def written(value: Any, info: Any) -> dict[str, Any]:
        return {key: write(read(value), info) for key, read, write in shown}

    return written


def one_of(name_of: Callable[..., Any], given: object, writers: Mapping[str, Write]) -> Write:
    def written(value: Any, info: Any) -> Any:
        return writers[name_of(value, info, given)](value, info)

    return written
