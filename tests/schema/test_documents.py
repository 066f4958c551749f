"""Documents within limits: what is prepared, what is remembered, and what is not even looked at."""

import pytest
from graphql import GraphQLError, get_introspection_query

from infra.limits import DEFAULTS, Limits
from schema.build import build
from schema.documents import (
    REMEMBERED_CHARACTERS,
    Documents,
    Prepared,
)


@pytest.fixture(scope="module")
def documents() -> Documents:
    """Its cost is looked at in test_cost.py."""
    return Documents(build()._schema, Limits(cost_limit=999_999))


def problem(documents: Documents, text: str, name: str | None = None) -> GraphQLError:
    found = documents.prepare(text, name)
    assert isinstance(found, list), "the document was taken"
    return found[0]


def nested(pairs: int) -> str:
    """A question that is 2 + 2 * `pairs` fields deep."""
    return '{ sku(code: "A") { ' + "levels { sku { " * pairs + "code" + " } }" * pairs + " } }"


def test_a_document_is_prepared_once(documents: Documents) -> None:
    text = "{ warehouses { code } }"
    first = documents.prepare(text, None)
    again = documents.prepare(text, None)
    assert isinstance(first, Prepared)
    assert isinstance(again, Prepared)
    assert again.document is first.document
    assert (first.kind.value, first.root_fields) == ("query", ("warehouses",))


def test_a_long_document_is_not_remembered(documents: Documents) -> None:
    text = "{ warehouses { code } }" + " " * REMEMBERED_CHARACTERS
    first = documents.prepare(text, None)
    again = documents.prepare(text, None)
    assert isinstance(first, Prepared)
    assert isinstance(again, Prepared)
    assert again.document is not first.document


def test_of_several_operations_one_must_be_named(documents: Documents) -> None:
    text = "query A { warehouses { code } } mutation B { releaseReservation(id: 1) { __typename } }"
    named = documents.prepare(text, "B")
    assert isinstance(named, Prepared)
    assert named.kind.value == "mutation"
    assert "operationName" in problem(documents, text).message
    assert "operationName" in problem(documents, text, "C").message


def test_too_many_tokens_are_not_parsed(documents: Documents) -> None:
    text = "{" + " a" * DEFAULTS.tokens_limit + "}"
    assert "tokens" in problem(documents, text).message


def test_many_aliases_are_fine_and_too_many_are_not(documents: Documents) -> None:
    def aliased(count: int) -> str:
        return "{" + " ".join(f"a{n}: warehouses {{ code }}" for n in range(count)) + "}"

    assert isinstance(documents.prepare(aliased(500), None), Prepared)
    assert "aliases" in problem(documents, aliased(DEFAULTS.aliases_limit + 1)).message


def test_fields_may_not_be_nested_too_deep(documents: Documents) -> None:
    deepest = DEFAULTS.depth_limit // 2 - 1
    assert isinstance(documents.prepare(nested(deepest), None), Prepared)
    assert "deep" in problem(documents, nested(deepest + 1)).message


def test_a_fragment_does_not_hide_depth(documents: Documents) -> None:
    text = """
    { sku(code: "A") { ...L } }
    fragment L on Sku { levels { sku { levels { sku { levels { sku { ...M } } } } } } }
    fragment M on Sku { levels { sku { levels { sku { levels { sku { code } } } } } } }
    """
    assert "deep" in problem(documents, text).message


def test_fragments_that_spread_each_other_end(documents: Documents) -> None:
    text = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"
    assert "within itself" in problem(documents, text).message


def test_fragments_that_double_are_followed_once(documents: Documents) -> None:
    doubling = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    text = f"{{ ...F0 }} {doubling} fragment F40 on Query {{ __typename }}"
    assert isinstance(documents.prepare(text, None), Prepared)


def test_one_selection_may_not_be_endless(documents: Documents) -> None:
    text = "{" + "warehouses { code } " * (DEFAULTS.fields_limit + 1) + "}"
    assert "selection" in problem(documents, text).message


def test_introspection_is_as_deep_as_it_needs_to_be(documents: Documents) -> None:
    assert isinstance(documents.prepare(get_introspection_query(), None), Prepared)


def test_a_document_that_does_not_fit_the_schema_says_where(documents: Documents) -> None:
    error = problem(documents, "{ warehouses { colour } }")
    assert error.extensions == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert error.formatted["locations"] == [{"line": 1, "column": 16}]
