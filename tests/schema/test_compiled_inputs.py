"""A plan gives a resolver what graphql-core would give it, or does not take the request.

Variables are drawn at random, mostly right; graphql-core is the judge.
"""

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    parse,
    type_from_ast,
    validate,
)
from graphql.execution import execute
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.build import build
from schema.compiled.inputs import Uncovered
from schema.compiled.plan import Plan, plan_of

SCHEMA = build.__wrapped__()._schema  # one of its own: its resolvers are exchanged
texts = st.text(max_size=5)
ASKED = (
    "mutation($i: ReserveStockInput!) { reserveStock(input: $i) { __typename } }",
    "mutation($i: DeductReservationInput!) { deductReservation(input: $i) { __typename } }",
    "mutation($i: AdjustStockInput!) { adjustStock(input: $i) { __typename } }",
    "mutation($i: ID!) { confirmReservation(id: $i) { __typename } }",
    "query($i: StockFilter, $n: Int = 7) { stockLevels(filter: $i, first: $n) { __typename } }",
    """mutation($id: ID!, $n: Int!, $w: String, $t: Int = 9) { reserveStock(input: {
      id: $id, ttlSeconds: $t, lines: [{sku: "A", warehouse: $w, quantity: $n}]
    }) { __typename } }""",
    """mutation($id: ID = "d", $l: [ReserveLine!]) {
      deductReservation(input: {id: "x", reservationId: $id, lines: $l}) { __typename } }""",
    "query($s: String!, $c: Consistency) "
    '{ stockLevel(sku: $s, warehouse: "W", consistency: $c) { __typename } }',
    'query($s: [String!]) { stockLevels(filter: {skus: $s, regions: ["A"]}) { __typename } }',
)
WRONG = st.sampled_from([None, True, 1, 2**31, 1.0, 0.5, "", "A", [], {}, [None], {"id": 1}])


def given_for(wanted: Any) -> st.SearchStrategy[Any]:
    """What a client may send for this type: mostly right, now and then not."""
    if isinstance(wanted, GraphQLNonNull):
        return given_for(wanted.of_type)
    right: st.SearchStrategy[Any]
    if isinstance(wanted, GraphQLList):
        right = st.lists(given_for(wanted.of_type), max_size=3)
    elif isinstance(wanted, GraphQLEnumType):
        right = st.sampled_from(sorted(wanted.values))
    elif isinstance(wanted, GraphQLInputObjectType):
        fields = {name: given_for(field.type) for name, field in wanted.fields.items()}
        needed = {n for n, f in wanted.fields.items() if isinstance(f.type, GraphQLNonNull)}
        right = st.fixed_dictionaries(
            {name: fields[name] for name in needed},
            optional={n: f for n, f in fields.items() if n not in needed} | {"other": texts},
        ).map(lambda found: found if len(found.get("other", "x")) > 4 else dropped(found))
    else:
        right = st.integers(-9, 9) if wanted.name == "Int" else texts
    return st.integers(0, 12).flatmap(lambda n: right if n else WRONG)


def dropped(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "other"}


def planned(text: str) -> Plan:
    document = parse(text)
    assert not validate(SCHEMA, document)
    operation: Any = document.definitions[0]
    plan = plan_of(SCHEMA, document, operation)
    assert plan is not None
    return plan


class Seen:
    """Stands where resolvers stand, and remembers what graphql-core gives them."""

    def __init__(self) -> None:
        self.given: dict[str, Any] | None = None

    def __call__(self, _source: object, _info: object, **given: Any) -> None:
        self.given = given


@settings(deadline=None, max_examples=300)
@given(st.data(), st.sampled_from(ASKED))
def test_what_a_resolver_is_given(data: st.DataObject, text: str) -> None:
    document = parse(text)
    operation: Any = document.definitions[0]
    plan = planned(text)
    variables = {}
    for node in operation.variable_definitions:
        wanted = type_from_ast(SCHEMA, node.type)
        if data.draw(st.integers(0, 9)):
            variables[node.variable.name.value] = data.draw(given_for(wanted))
    try:
        found = plan.given(variables)
    except Uncovered:
        return
    assert found == by_resolver(text, variables), "a plan takes only what graphql-core takes"


def by_resolver(text: str, variables: dict[str, Any]) -> dict[str, Any] | None:
    document = parse(text)
    operation: Any = document.definitions[0]
    root = SCHEMA.get_root_type(operation.operation)
    assert root is not None
    field = root.fields[operation.selection_set.selections[0].name.value]
    seen, before = Seen(), field.resolve
    field.resolve = seen
    execute(SCHEMA, document, variable_values=variables)
    field.resolve = before
    return seen.given


LINE = {"sku": "A", "warehouse": None, "quantity": 1}
USUAL: dict[str, dict[str, Any]] = {
    ASKED[0]: {"i": {"id": "x", "lines": [LINE], "customer": "ann", "ttlSeconds": 60}},
    ASKED[1]: {"i": {"id": "x", "reservationId": "y", "lines": [LINE]}},
    ASKED[3]: {"i": "x"},
    ASKED[4]: {"i": {"skus": ["A"]}, "n": None},
    ASKED[5]: {"id": "x", "n": 1},
    ASKED[7]: {"s": "A", "c": "STRONG"},
}


@pytest.mark.parametrize("text", USUAL)
def test_what_is_usual_is_covered(text: str) -> None:
    plan = planned(text)
    assert plan.given(USUAL[text]) == by_resolver(text, USUAL[text])
