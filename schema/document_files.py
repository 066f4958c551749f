"""From files of operations and fragments to documents by their SHA-256, checked as the API checks
what it is asked: what clients will name instead of sending.

Each operation becomes a document of its own, with the fragments it uses: so do Apollo's and Relay's
compilers and graphql-codegen, and so does a client that sends what it is about to ask.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    Visitor,
    parse,
    print_ast,
    visit,
)

from schema.documents import Documents

TYPENAME = FieldNode(
    alias=None,
    name=NameNode(value="__typename"),
    arguments=(),
    directives=(),
    selection_set=None,
)


class File(NamedTuple):
    name: str
    text: str


class Place(NamedTuple):
    """From 1; 0 where lines say nothing."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Wrong(NamedTuple):
    place: Place
    message: str


class Made(NamedTuple):
    """`texts` by SHA-256 (hexadecimal), in the order of the files; `unused` are the names of
    fragments that no operation uses. Where anything is `wrong`, the rest is not whole."""

    texts: dict[str, str]
    unused: list[str]
    wrong: list[Wrong]


class Parts(NamedTuple):
    """All that the files define."""

    operations: list[OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    wrong: list[Wrong]


def documents_of(files: Iterable[File], documents: Documents, *, with_typename: bool) -> Made:
    """`with_typename`: what objects and lists are asked for is also asked its type, as Apollo's
    cache does with everything it sends."""
    parts = parts_of(files)
    texts: dict[str, str] = {}
    wrong = list(parts.wrong)
    used: set[str] = set()
    for operation in parts.operations:
        names = names_used(operation, parts.fragments)
        used |= names
        fragments = [parts.fragments[name] for name in sorted(names)]
        document = DocumentNode(definitions=(operation, *fragments))
        text = print_ast(typed(document) if with_typename else document)
        found = problems(documents, document, text, place_of(operation))
        wrong += found
        if not found:
            texts[hash_of(text)] = text
    return Made(texts, sorted(parts.fragments.keys() - used), list(dict.fromkeys(wrong)))


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def parts_of(files: Iterable[File]) -> Parts:
    operations: list[OperationDefinitionNode] = []
    fragments: dict[str, list[FragmentDefinitionNode]] = defaultdict(list)
    wrong: list[Wrong] = []
    for file in files:
        for definition in definitions_of(file, wrong):
            match definition:
                case OperationDefinitionNode():
                    operations.append(definition)
                case FragmentDefinitionNode():
                    fragments[definition.name.value].append(definition)
                case _:
                    message = "only operations and fragments may stand here, no types"
                    wrong.append(Wrong(place_of(definition), message))
    for name, (first, *others) in fragments.items():
        for other in others:
            if print_ast(other) != print_ast(first):
                message = f"another fragment {name} stands at {place_of(first)}"
                wrong.append(Wrong(place_of(other), message))
    return Parts(operations, {name: found[0] for name, found in fragments.items()}, wrong)


def definitions_of(file: File, wrong: list[Wrong]) -> Sequence[DefinitionNode]:
    try:
        return parse(Source(file.text, file.name)).definitions
    except GraphQLError as error:
        wrong.append(Wrong(place_in(error) or Place(file.name, 1, 1), error.message))
    return ()


def names_used(
    operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]
) -> set[str]:
    """Of fragments, also those that fragments use; unknown ones are told by validation."""
    found: set[str] = set()
    waiting: list[Node] = [operation]
    while waiting:
        spreads = Spreads()
        visit(waiting.pop(), spreads)
        fresh = (spreads.names & fragments.keys()) - found
        found |= fresh
        waiting += [fragments[name] for name in sorted(fresh)]
    return found


class Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.add(node.name.value)


class AddTypename(Visitor):
    """As the client of Apollo does: not in the root of an operation, nor where
    something that begins with two underscores is asked for already."""

    def enter_selection_set(
        self, node: SelectionSetNode, _key: object, parent: object, *_: object
    ) -> SelectionSetNode | None:
        has_meta = any(
            isinstance(one, FieldNode) and one.name.value.startswith("__")
            for one in node.selections
        )
        if has_meta or isinstance(parent, OperationDefinitionNode):
            return None
        return SelectionSetNode(selections=(*node.selections, TYPENAME))


def typed(document: DocumentNode) -> DocumentNode:
    found: DocumentNode = visit(document, AddTypename())
    return found


def problems(documents: Documents, document: DocumentNode, text: str, at: Place) -> list[Wrong]:
    """First by the nodes of the files, which know their lines; then as the API reads the text, with
    what an operation costs."""
    errors = documents.checked(document)
    return [Wrong(place_in(error) or at, error.message) for error in errors] or as_sent(
        documents, text, at
    )


def as_sent(documents: Documents, text: str, at: Place) -> list[Wrong]:
    """What the API would say to it."""
    prepared = documents.prepare(text, None)
    errors = prepared if isinstance(prepared, list) else []
    return [Wrong(at, error.message) for error in errors]


def place_in(error: GraphQLError) -> Place | None:
    if error.nodes:
        return place_of(error.nodes[0])
    if error.source is None or not error.locations:
        return None
    return Place(error.source.name, *error.locations[0])


def place_of(node: Node) -> Place:
    assert node.loc is not None
    return Place(node.loc.source.name, *node.loc.source.get_location(node.loc.start))
