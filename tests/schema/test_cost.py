"""What operations cost: by the weights of docs/limits.md, whatever is written out or a variable."""

from itertools import product

import pytest
from graphql import GraphQLError

from infra.limits import Limits
from schema.build import build
from schema.documents import Documents, Prepared

FREE = Limits(cost_limit=999_999_999)
PAGE = "{ edges { node { code levels { onHand sku { code } } } } pageInfo { hasNextPage } }"


def prepared(text: str, limits: Limits = FREE) -> Prepared:
    found = Documents(build()._schema, limits).prepare(text, None)
    assert isinstance(found, Prepared), found
    return found


def price(text: str, variables: dict[str, object] | None = None) -> int:
    return prepared(text).cost.of(variables or {})


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ __typename }", 0),
        ('{ sku(code: "A") { code name } }', 1),
        ("{ warehouses { code } }", 1),
        ('{ sku(code: "A") { levels { sku { code } } } }', 1 + 1 + 10),
        (f"{{ skus(first: 1) {PAGE} }}", 1 + (1 + 1 + 10)),
        (f"{{ skus(first: 100) {PAGE} }}", 1 + 100 * (1 + 1 + 10)),
        (f"{{ skus {PAGE} }}", 1 + 50 * (1 + 1 + 10)),
        (f"{{ skus(first: null) {PAGE} }}", 1 + 50 * (1 + 1 + 10)),
        (f"{{ a: skus(first: 2) {PAGE} b: skus(first: 3) {PAGE} }}", 2 + 5 * 12),
        ("{ __schema { types { name } } }", 5_000),
        ('{ __type(name: "Sku") { name } }', 500),
        ('mutation { signOut(refreshToken: "t") { __typename } }', 10),
        ("subscription { stockChanged { onHand sku { code } } }", 10 + 1),
    ],
)
def test_an_operation_costs_what_the_page_of_limits_says(text: str, cost: int) -> None:
    assert price(text) == cost


def test_a_fragment_costs_what_it_spreads_each_time() -> None:
    fragment = f"fragment P on SkuConnection {PAGE}"
    text = "{ skus(first: 2) { ...P } ... { s: skus(first: 3) { ...P } } }"
    assert price(f"{text} {fragment}") == 2 + 5 * 12


def test_a_variable_costs_what_the_same_number_costs_when_it_is_written_out() -> None:
    text = f"query($n: Int, $m: Int = 7) {{ a: skus(first: $n) {PAGE} b: skus(first: $m) {PAGE} }}"
    one = prepared(text).cost
    for n, m in product((1, 50, 100), (1, 7, 99)):
        written = f"{{ a: skus(first: {n}) {PAGE} b: skus(first: {m}) {PAGE} }}"
        assert one.of({"n": n, "m": m}) == price(written)
    assert one.of({}) == price(f"{{ a: skus {PAGE} b: skus(first: 7) {PAGE} }}")
    assert one.of({"n": None, "m": "many"}) == one.of({})
    assert one.of({"n": 9.0, "m": float("inf")}) == one.of({"n": 9})


def test_only_pages_of_variable_size_are_looked_at_anew() -> None:
    assert prepared(f"{{ skus(first: 9) {PAGE} }}").cost.is_fixed
    text = "query($n: Int) { skus(first: $n) { pageInfo { endCursor } } }"
    assert not prepared(text).cost.is_fixed


def error(text: str, limits: Limits) -> GraphQLError:
    found = Documents(build()._schema, limits).prepare(text, None)
    assert isinstance(found, list)
    return found[0]


def test_too_dear_an_operation_is_told_what_it_costs_and_what_it_may() -> None:
    found = error(f"{{ skus(first: 100) {PAGE} }}", Limits(cost_limit=1_200))
    assert "costs 1201: 1200 at most (ONHAND_COST_LIMIT)" in found.message
    assert found.extensions == {
        "code": "COST_LIMIT",
        "limit": 1_200,
        "setting": "ONHAND_COST_LIMIT",
        "cost": 1_201,
    }


def test_a_page_that_is_too_long_is_refused_before_anything_is_read() -> None:
    found = error("{ skus(first: 61) { pageInfo { endCursor } } }", Limits(page_limit=60))
    assert (found.extensions or {})["code"] == "PAGE_LIMIT"


def test_what_is_usual_is_within_the_limits() -> None:
    aliased = " ".join(f'm{n}: signOut(refreshToken: "t") {{ __typename }}' for n in range(1_000))
    prepared(f"mutation {{ {aliased} }}", Limits())
    prepared(f"{{ skus(first: 100) {PAGE} }}", Limits())
