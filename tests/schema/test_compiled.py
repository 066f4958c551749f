"""A plan shows an answer as graphql-core does, or lets graphql-core show it.

Documents and answers are drawn at random; graphql-core is the judge of both.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    parse,
    validate,
)
from graphql.execution import Executor, execute
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain import refusals as no
from domain.access import Permission, Role, everywhere
from domain.states import ReservationState
from schema.build import build
from schema.compiled.outcome import Resolved
from schema.compiled.plan import Plan, plan_of
from schema.context import Context
from schema.documents import Prepared
from schema.engine import Asker, Engine, Operation
from schema.executor import executor_for
from services.catalogue_cache import SkuInfo, WarehouseInfo
from services.levels import StockLevel
from services.reservations import Reservation, ReservationLine
from tests.api.shop import open_shop

SCHEMA = build.__wrapped__()._schema  # one of its own: its resolvers are exchanged
PLAIN = executor_for(SCHEMA)
ENCODE = msgspec.json.encode
RT = open_shop().rt
ADMIN = everywhere("ann", Role.ADMIN)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MANY = settings(deadline=None, max_examples=300)
ROOTS = {
    'mutation { %s: reserveStock(input: {id: "", lines: []}) { %s } } %s': "ReserveStockResult",
    'mutation { %s: confirmReservation(id: "") { %s } } %s': "ReservationResult",
    'query { %s: reservation(id: "") { %s } } %s': "Reservation",
    'mutation { %s: moveStock(input: {id: "", sku: "", warehouse: "", from: AVAILABLE, '
    "to: DAMAGED, quantity: 1}) { %s } } %s": "StockLevelResult",
    'query { %s: stockLevel(sku: "", warehouse: "") { %s } } %s': "StockLevel",
}
texts = st.text(max_size=5)
numbers = st.integers(-(2**31), 2**31) | st.integers(0, 9)
instants = st.none() | st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda d: NOON + d)
lines = st.builds(ReservationLine, texts, texts, numbers, numbers, numbers, numbers)
reservations = st.builds(
    Reservation,
    st.uuids(),
    st.sampled_from(ReservationState),
    st.lists(lines, max_size=3).map(tuple),
    st.none() | texts,
    st.none() | texts,
    st.none() | st.uuids(),
    instants,
    instants,
)
levels = st.builds(
    StockLevel,
    st.builds(SkuInfo, numbers, texts, texts, st.none() | texts, st.none(), numbers, st.booleans()),
    st.builds(WarehouseInfo, numbers, texts, texts, texts, numbers, st.booleans()),
    *[numbers] * 7,
    instants,
)
refusals = st.one_of(
    st.builds(no.NotFound, texts, texts),
    st.builds(no.Invalid, texts, texts),
    st.builds(no.InsufficientStock, texts, st.none() | texts, numbers, numbers),
    st.builds(no.Stale, numbers, numbers),
    st.builds(no.NotPermitted, st.sampled_from(Permission)),
    st.builds(no.ReservationClosed, st.sampled_from(ReservationState)),
)
answers = reservations | refusals | levels | st.none()


@st.composite
def selections(draw: st.DrawFn, shown: Any, fragments: list[str], depth: int = 0) -> str:
    """A selection of a type: fields, aliases, repeats, inline and named fragments."""
    parts = []
    for number in range(draw(st.integers(1, 4))):
        choices = ["__typename"]
        if isinstance(shown, GraphQLObjectType | GraphQLInterfaceType):
            choices += [name for name in shown.fields if name != "levels"]
        if isinstance(shown, GraphQLUnionType | GraphQLInterfaceType) and depth < 4:
            choices += ["... "] * 5
        chosen = draw(st.sampled_from(choices))
        if chosen != "... ":
            alias = draw(st.sampled_from(["", f"a{depth}{number}: "]))
            parts.append(alias + chosen + draw(below(shown, chosen, fragments, depth)))
            continue
        kinds: list[Any] = list(SCHEMA.get_possible_types(shown))
        kind = draw(st.sampled_from([*kinds, SCHEMA.type_map["Refusal"]]))
        inside = draw(selections(kind, fragments, depth + 1))
        if draw(st.booleans()):
            parts.append(f"... on {kind.name} {{ {inside} }}")
        else:
            parts.append(f"...f{len(fragments)}")
            fragments.append(f"fragment f{len(fragments)} on {kind.name} {{ {inside} }}")
    return " ".join(parts)


@st.composite
def below(draw: st.DrawFn, shown: Any, name: str, fragments: list[str], depth: int) -> str:
    inner = get_named_type(shown.fields[name].type) if name != "__typename" else None
    if not isinstance(inner, GraphQLObjectType):
        return ""
    return " { " + draw(selections(inner, fragments, depth + 1)) + " }"


def planned(text: str) -> Plan | None:
    document = parse(text)
    operation: Any = document.definitions[0]
    return plan_of(SCHEMA, document, operation)


def context() -> Context:
    return Context(RT, ADMIN)


def by_core(text: str, answer: Any, asked: Context, executor: Any) -> ExecutionResult:
    result = execute(
        SCHEMA,
        parse(text),
        root_value=Resolved(answer),
        context_value=asked,
        executor_class=executor,
    )
    assert isinstance(result, ExecutionResult)
    return result


@MANY
@given(st.data(), st.sampled_from(sorted(ROOTS)), answers)
def test_what_is_shown_of_an_answer(data: st.DataObject, root: str, answer: Any) -> None:
    fragments: list[str] = []
    selection = data.draw(selections(SCHEMA.type_map[ROOTS[root]], fragments))
    text = root % (data.draw(st.sampled_from("ab")), selection, " ".join(fragments))
    assume(not validate(SCHEMA, parse(text)))
    plan = planned(text)
    assert plan is not None, text
    general, ours = context(), context()
    result = by_core(text, answer, general, PLAIN)
    assert ENCODE(result.data) == ENCODE(by_core(text, answer, context(), Executor).data)
    found = None
    with suppress(Exception):
        found = plan.shown(ours, answer)
    if found is None:
        assert result.errors, (text, answer)
    else:
        assert not result.errors, (text, answer, result.errors)
        assert ENCODE(found) == ENCODE(result.data), "the order counts too"
        assert ours.refusals == general.refusals


@pytest.mark.parametrize(
    "text",
    [
        "{ a: warehouses { code } b: warehouses { code } }",
        "{ warehouses { code @skip(if: true) } }",
        "{ warehouses @include(if: false) { code } }",
        '{ sku(code: "A") { levels { seq } } }',
        "{ __typename }",
        "{ __schema { types { name } } }",
        "subscription { stockChanged { seq } }",
        "mutation { upsertSkus(rows: []) { ok } }",
    ],
)
def test_what_is_unusual_is_left_to_graphql_core(text: str) -> None:
    assert planned(text) is None


CONFIRM = "mutation($i: ID!) { confirmReservation(id: $i) { __typename } }"


def engine() -> Engine:
    schema = build.__wrapped__()._schema
    return Engine(open_shop().rt, schema)


class Service:
    """Stands for a resolver: answers, or fails, and counts."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls = 0

    async def __call__(self, _self: None, _info: object, **_given: Any) -> Any:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


ABSENT: Any = None
BROKEN = Reservation(UUID(int=1), ReservationState.HELD, (), None, None, None, ABSENT, None)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (no.NotFound("sku", "A"), b'{"data":{"confirmReservation":{"code":"NOT_FOUND"}}}'),
        (BROKEN, b'"path":["confirmReservation","createdAt"]'),
        (ValueError("a secret"), b"internal error"),
        (GraphQLError("plain"), b"plain"),
    ],
)
async def test_a_resolver_runs_once_and_graphql_core_tells_what_went_wrong(
    answer: Any, told: bytes
) -> None:
    text = """mutation($i: ID!) { confirmReservation(id: $i) {
      ... on Reservation { createdAt } ... on Refusal { code } } }"""
    door, service = engine(), Service(answer)
    operation = Operation(text, {"i": str(UUID(int=1))})
    prepared = door.prepare(operation)
    assert isinstance(prepared, Prepared)
    assert prepared.plan is not None
    prepared = prepared._replace(plan=prepared.plan._replace(call=service))
    shown = await door.execute(Asker(ADMIN, "c-1"), prepared, operation)
    assert told in shown.body
    assert b"secret" not in shown.body
    assert service.calls == 1
    assert shown.was_executed
    assert shown.refusals == (("NOT_FOUND",) if isinstance(answer, no.NotFound) else ())


async def test_bad_variables_are_told_by_graphql_core() -> None:
    door = engine()
    operation = Operation(CONFIRM, {"i": {}})
    prepared = door.prepare(operation)
    assert isinstance(prepared, Prepared)
    shown = await door.execute(Asker(ADMIN, "c-1"), prepared, operation)
    assert b"$i" in shown.body
    assert not shown.was_executed
