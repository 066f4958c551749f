"""The schema keeps the contract: every name of it is there, with its type and its default. More may
be there."""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import get_args

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    build_schema,
    parse,
    print_ast,
)

from domain.refusals import REFUSALS
from schema import refusals
from schema.build import NAMES, Mutation, build
from schema.printed import FILE, main, printed

CONTRACT = Path(__file__).parents[3] / "shared" / "contract.graphql"
NEEDS_CONTRACT = pytest.mark.skipif(
    not CONTRACT.is_file(), reason="the contract is not beside the repository"
)


WITHOUT_ID = {"ApprovalResult", "ApprovalCodeResult", "JoinFlashSaleResult"}
"""Results of commands that are safe to repeat without an id made by the client."""
OF_ONES_OWN = {
    "SignInResult",
    "SignOutResult",
    "EnrolmentResult",
    "SecondFactorResult",
    "RecoveryCodesResult",
    "TrustedDeviceResult",
}
"""Results of what anybody may do, to nothing but their own account."""


def schema_document() -> DocumentNode:
    return parse(printed())


def facts(document: DocumentNode) -> Iterator[str]:
    """Everything that a document promises, a line each."""
    for node in document.definitions:
        assert isinstance(node, TypeDefinitionNode)
        yield from facts_of(node)


def facts_of(node: TypeDefinitionNode) -> Iterator[str]:
    name = node.name.value
    match node:
        case ScalarTypeDefinitionNode():
            yield f"scalar {name}"
        case EnumTypeDefinitionNode():
            yield from (f"{name}: {value.name.value}" for value in node.values or ())
        case UnionTypeDefinitionNode():
            yield from (f"{name} = {member.name.value}" for member in node.types or ())
        case InputObjectTypeDefinitionNode():
            yield from (f"input {name}.{told(field)}" for field in node.fields or ())
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            yield from (f"{name} implements {one.name.value}" for one in node.interfaces or ())
            for field in node.fields or ():
                yield from facts_of_field(name, field)


def facts_of_field(type_name: str, field: FieldDefinitionNode) -> Iterator[str]:
    place = f"{type_name}.{field.name.value}"
    yield f"{place}: {print_ast(field.type)}"
    yield from (f"{place}({told(argument)})" for argument in field.arguments or ())


def told(value: InputValueDefinitionNode) -> str:
    default = "" if value.default_value is None else f" = {print_ast(value.default_value)}"
    return f"{value.name.value}: {print_ast(value.type)}{default}"


def place_of(fact: str) -> str:
    """The input type or the field that a fact is about."""
    place = fact.split("(")[0].split(":")[0]
    return place.split(".")[0] if fact.startswith("input ") else place


@NEEDS_CONTRACT
def test_every_promise_of_the_contract_is_kept() -> None:
    promised = set(facts(parse(CONTRACT.read_text(encoding="utf-8"))))
    assert len(promised) > 200
    assert sorted(promised - set(facts(schema_document()))) == []


@NEEDS_CONTRACT
def test_nothing_that_was_added_has_to_be_given_by_an_old_client() -> None:
    promised = set(facts(parse(CONTRACT.read_text(encoding="utf-8"))))
    known = {place_of(fact) for fact in promised}
    added = set(facts(schema_document())) - promised
    asked = [fact for fact in added if "(" in fact or fact.startswith("input ")]
    asked = [fact for fact in asked if place_of(fact) in known]
    assert [fact for fact in asked if "!" in fact and " = " not in fact] == []


def test_the_committed_schema_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == printed()
    assert main(["--check"]) == 0


def test_the_printed_schema_is_a_schema() -> None:
    assert build_schema(printed()).query_type is not None


def test_everything_is_described() -> None:
    silent = []
    for name, graphql_type in build()._schema.type_map.items():
        if not name.startswith("__") and name not in ("ID", "String", "Int", "Float", "Boolean"):
            silent += [place for place, text in descriptions(graphql_type) if not text]
    assert silent == []


def descriptions(graphql_type: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    name = graphql_type.name
    yield name, graphql_type.description
    match graphql_type:
        case GraphQLEnumType():
            yield from ((f"{name}.{key}", v.description) for key, v in graphql_type.values.items())
        case GraphQLInputObjectType():
            yield from ((f"{name}.{key}", f.description) for key, f in graphql_type.fields.items())
        case GraphQLObjectType() | GraphQLInterfaceType():
            for key, field in graphql_type.fields.items():
                yield from field_descriptions(f"{name}.{key}", field)


def field_descriptions(place: str, field: GraphQLField) -> Iterator[tuple[str, str | None]]:
    yield place, field.description
    yield from ((f"{place}({name})", arg.description) for name, arg in field.args.items())


def test_every_refusal_of_the_domain_has_a_type() -> None:
    assert set(refusals.NAMES) == set(REFUSALS)
    types = build()._schema.type_map
    assert all(isinstance(types[name], GraphQLObjectType) for name in refusals.NAMES.values())


def test_whatever_a_mutation_answers_has_its_type() -> None:
    """A class of services/ that is not in the table would be a bug of ours at the first answer."""
    seen = set[str]()
    for field in Mutation.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        answer = field.base_resolver.wrapped_func.__annotations__["return"]
        for member in get_args(answer) if isinstance(answer, UnionType) else ():
            assert member in NAMES, field.python_name
            seen.add(NAMES[member])
    assert {"ApprovalCodeSent", "FlashSale", "Conflict"} <= seen


def test_every_union_can_say_who_may_not_what_is_wrong_and_what_is_taken() -> None:
    unions = [t for t in build()._schema.type_map.values() if isinstance(t, GraphQLUnionType)]
    assert len(unions) > 3
    for union in unions:
        if union.name in OF_ONES_OWN:
            continue
        names = {member.name for member in union.types}
        taken = set() if union.name in WITHOUT_ID else {"Conflict"}
        assert {"NotPermitted", "Invalid", "NotFound", *taken} <= names
