"""Who is limited to a part of the stock cannot tell the rest from what does not exist: not by an
answer, not by a list, not by how many questions the database is asked."""

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from graphql import OperationType

from domain.access import PERMISSIONS, SCOPED, Caller, Grant, Permission, Role, Scope, everywhere
from infra.database import connection
from schema.engine import Answer, Asker, Engine, Operation
from services.changes import stock_changed
from services.levels import StockFilter
from tests.api.shop import NOON, Shop
from tests.integration.furnished import furnished, postgres
from tests.schema.questions import question
from tests.schema.test_permissions import NEEDED, SALES_ONLY

EAST = Scope(warehouses=frozenset({"EAST"}))
ASIA = Scope(regions=frozenset({"ASIA"}))
EVEN = Scope(categories=frozenset({"even"}))
TMALL = Scope(channels=frozenset({"tmall"}))
EAST_TMALL = Scope(warehouses=EAST.warehouses, channels=TMALL.channels)
WEST_JD = Scope(warehouses=frozenset({"WEST"}), channels=frozenset({"jd"}))
HERE, THERE, SPLIT, PLAIN, OLD = (UUID(int=n) for n in range(1, 6))
NOWHERE = UUID(int=6)
HOLDS = (
    (HERE, "EAST", "tmall", "bob"),
    (THERE, "WEST", "jd", "bob"),
    (SPLIT, "EAST", "tmall", "bob"),
    (SPLIT, "WEST", "tmall", "bob"),
    (PLAIN, "EAST", None, "bob"),
    (OLD, "EAST", "jd", "ann"),
)
"""Where, of which channel, and made by whom: `ann` is who asks."""
HOLD = """
INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, seq,
  available_after, channel, caller, created_at)
SELECT $1, c.id, 1, 0, 1, $2::timestamptz + interval '1 hour', 1, 1, $4, $5, $2 FROM cell c
JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
WHERE s.code = 'S002' AND w.code = $3
"""
OF_OTHERS = {
    "a reservation of another channel": THERE,
    "a reservation of no channel": PLAIN,
    "an own reservation of another channel": OLD,
}
HIDDEN = {
    "a warehouse": (EAST, {"warehouse": "WEST"}, {"warehouse": "NONE"}),
    "the warehouse of a region": (ASIA, {"warehouse": "WEST"}, {"warehouse": "NONE"}),
    "a category": (EVEN, {"sku": "S001", "code": "S001"}, {"sku": "S999", "code": "S999"}),
    "a reservation": (EAST, {"id": str(THERE)}, {"id": str(NOWHERE)}),
    "a reservation to hand over": (
        EAST,
        {"reservationId": str(THERE)},
        {"reservationId": str(NOWHERE)},
    ),
    "a warehouse, of a channel": (EAST_TMALL, {"warehouse": "WEST"}, {"warehouse": "NONE"}),
    "a reservation elsewhere, of the channel": (
        Scope(regions=frozenset({"NONE"}), channels=TMALL.channels),
        {"id": str(HERE)},
        {"id": str(NOWHERE)},
    ),
}
HIDDEN |= {
    f"{what}, by its {word}": (TMALL, {word: str(id)}, {word: str(NOWHERE)})
    for what, id in OF_OTHERS.items()
    for word in ("id", "reservationId")
}
"""What a scope hides, and what does not exist at all: in the words of arguments."""
CELL = {"sku": "S002", "warehouse": "EAST", "code": "S002", "channel": "tmall"}
LISTS = """{
  warehouses { code }
  skus(first: 100) { edges { node { code levels { warehouse { code } } } } }
  stockLevels(first: 100) { edges { node { sku { code } warehouse { code } } } }
  west: stockLevels(filter: {warehouses: ["WEST"]}) { edges { node { warehouse { code } } } }
  one: skus(search: "S001") { edges { node { code } } }
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with furnished(url) as opened:
        await connection().execute_query("TRUNCATE hold")
        for id, *rest in HOLDS:
            await connection().execute_query(HOLD, [id, NOON, *rest])
        await opened.rt.catalogue.skus(["S001", "S002"])
        await opened.rt.catalogue.warehouses(["EAST", "WEST"])
        opened.rt.catalogue.fresh_until = float("inf")
        yield opened


def limited(role: Role, scope: Scope) -> Caller:
    return Caller("ann", (Grant(role, scope),), UUID(int=7))


async def answered(shop: Shop, caller: Caller, document: str, variables: Any) -> Answer:
    engine = Engine(shop.rt)
    operation = Operation(document, variables)
    prepared = engine.prepare(operation)
    assert not isinstance(prepared, Answer), prepared
    return await engine.execute(Asker(caller, "test"), prepared, operation)


def about_cells(words: dict[str, str]) -> Iterator[tuple[str, str, Permission]]:
    """The fields that can be asked for a cell with these words."""
    for (kind, name), need in NEEDED.items():
        _, given = question(kind, name, **CELL | words)
        if "id" in words:  # that of an input is the request's own
            given = {argument: value for argument, value in given.items() if argument != "input"}
        is_one = kind != OperationType.SUBSCRIPTION.value and name not in SALES_ONLY
        if need in SCOPED and is_one and any(word in repr(given) for word in words.values()):
            yield kind, name, need


CASES = [
    pytest.param(what, kind, name, role, id=f"{what}-{name}-{role}")
    for what, (_, words, _) in HIDDEN.items()
    for kind, name, need in about_cells(words)
    for role in Role
    if need in PERMISSIONS[role]
]


@pytest.mark.parametrize(("what", "kind", "name", "role"), CASES)
async def test_what_is_hidden_cannot_be_told_from_what_does_not_exist(
    shop: Shop, what: str, kind: str, name: str, role: Role, caplog: pytest.LogCaptureFixture
) -> None:
    scope, hidden, missing = HIDDEN[what]
    caller = limited(role, scope)
    told = []
    for words in (hidden, missing):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
            answer = await answered(shop, caller, *question(kind, name, **CELL | words))
        body = answer.body.decode()
        for word in words.values():
            body = body.replace(word, "?")
        told.append((body, answer.refusals, answer.errors, len(caplog.records)))
    assert told[0] == told[1]
    assert shop.owner.frames == 0


def test_the_cases_are_all_that_is_about_cells() -> None:
    names = {case.values[2] for case in CASES}
    assert names >= {"stockLevel", "ledger", "explainStock", "reserveStock", "adjustStock"}
    assert names >= {"reservation", "deductReservation", "confirmReservation", "sku"}


@pytest.mark.parametrize("role", Role)
async def test_no_list_has_what_is_hidden(shop: Shop, role: Role) -> None:
    everything = (await answered(shop, everywhere("ann", role), LISTS, None)).body
    assert b"WEST" in everything
    assert b"S001" in everything
    for scope in (EAST, ASIA):
        body = (await answered(shop, limited(role, scope), LISTS, None)).body
        assert b"WEST" not in body
        assert b"EAST" in body
    body = (await answered(shop, limited(role, EVEN), LISTS, None)).body
    assert b"S001" not in body
    assert b"S002" in body


async def test_grants_side_by_side_show_what_each_of_them_shows(shop: Shop) -> None:
    """Even goods anywhere, and what is in the west: not odd goods in the east."""
    west = Scope(warehouses=frozenset({"WEST"}))
    caller = Caller("ann", (Grant(Role.ANALYST, EVEN), Grant(Role.ANALYST, west)))
    for sku, warehouse, is_seen in (
        ("S001", "WEST", True),
        ("S002", "EAST", True),
        ("S002", "WEST", True),
        ("S001", "EAST", False),
    ):
        asked = question("query", "stockLevel", sku=sku, warehouse=warehouse)
        told = msgspec.json.decode((await answered(shop, caller, *asked)).body)
        assert (told["data"]["stockLevel"] is not None) == is_seen, (sku, warehouse)


@pytest.mark.parametrize("role", Role)
async def test_a_channel_shows_the_stock_that_all_channels_share(shop: Shop, role: Role) -> None:
    """As far as the other dimensions go."""
    everything = (await answered(shop, everywhere("ann", role), LISTS, None)).body
    assert (await answered(shop, limited(role, TMALL), LISTS, None)).body == everything
    east = (await answered(shop, limited(role, EAST), LISTS, None)).body
    assert (await answered(shop, limited(role, EAST_TMALL), LISTS, None)).body == east


@pytest.mark.parametrize(
    ("id", "lines"),
    [(HERE, ["EAST"]), (SPLIT, ["EAST"]), (THERE, ["WEST"]), (PLAIN, None), (OLD, None)],
)
async def test_one_of_the_grants_covers_both_the_cell_and_the_channel(
    shop: Shop, id: UUID, lines: list[str] | None
) -> None:
    """In the east for the one, in the west for the other: not for the one in the west."""
    grants = (Grant(Role.OPERATIONS, EAST_TMALL), Grant(Role.OPERATIONS, WEST_JD))
    asked = f'{{ reservation(id: "{id}") {{ lines {{ warehouse }} }} }}'
    told = msgspec.json.decode((await answered(shop, Caller("ann", grants), asked, None)).body)
    found = told["data"]["reservation"]
    assert (found and [line["warehouse"] for line in found["lines"]]) == lines


@pytest.mark.parametrize("name", ["confirmReservation", "releaseReservation", "deductReservation"])
async def test_a_channel_lets_nobody_act_on_the_orders_of_another_that_they_see(
    shop: Shop, name: str
) -> None:
    """Sees all stock, and has made the order; but acts for one channel only."""
    caller = Caller("ann", (Grant(Role.ANALYST), Grant(Role.OPERATIONS, TMALL)))
    asked = question("mutation", name, id=str(OLD), reservationId=str(OLD))
    (told,) = msgspec.json.decode((await answered(shop, caller, *asked)).body)["data"].values()
    assert told["code"] == "NOT_PERMITTED"
    assert shop.owner.frames == 0


async def test_a_grant_without_channels_shows_the_reservations_of_all(shop: Shop) -> None:
    for id, *_ in HOLDS:
        asked = question("query", "reservation", id=str(id))
        told = (await answered(shop, everywhere("ann", Role.OPERATIONS), *asked)).body
        assert msgspec.json.decode(told)["data"]["reservation"] is not None


async def test_what_is_seen_but_not_held_is_said_to_be_forbidden(shop: Shop) -> None:
    """Reads everywhere, and corrects in the east only."""
    caller = Caller("ann", (Grant(Role.ANALYST), Grant(Role.WAREHOUSE, EAST)))
    asked = question("mutation", "adjustStock", sku="S002", warehouse="WEST")
    told = msgspec.json.decode((await answered(shop, caller, *asked)).body)["data"]["adjustStock"]
    assert told["code"] == "NOT_PERMITTED"
    assert Permission.ADJUST in told["message"]


async def test_a_reservation_of_ones_own_part_is_seen(shop: Shop) -> None:
    asked = question("query", "reservation", id=str(HERE))
    seen = await answered(shop, limited(Role.WAREHOUSE, EAST), *asked)
    assert msgspec.json.decode(seen.body)["data"]["reservation"] is not None
    theirs = await answered(shop, limited(Role.ANALYST, EAST), *asked)
    assert msgspec.json.decode(theirs.body)["data"]["reservation"] is None


async def test_the_live_view_begins_with_ones_own_part(shop: Shop) -> None:
    """The 60 even SKUs in both warehouses, and none of the others."""
    caller = limited(Role.ANALYST, EVEN)
    changes = stock_changed(shop.rt, caller, StockFilter())
    try:
        first = [await anext(changes) for _ in range(120)]
    finally:
        await changes.aclose()
    assert {level.sku.category for level in first} == {"even"}
