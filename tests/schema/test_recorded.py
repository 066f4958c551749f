"""What leaves a record: every mutation that does not show in the ledger, and every attempt at what
one may not do."""

import dataclasses
import json
from uuid import UUID

import pytest

from domain.access import Role
from domain.refusals import NotPermitted
from schema.build import build
from services.acts import ACTS, IN_THE_LEDGER
from services.recorded import REFUSED_LIMIT, as_json
from tests.api.shop import FULL, NOON, Shop, ask, data, open_shop
from tests.infra.fake_trail import broken_trail
from tests.schema.test_reservations import RESERVE, wants
from tests.schema.test_stock import ADJUST, LEVEL, MOVE, RECEIVE, RETURN, mugs

ID = UUID(int=201)


@pytest.fixture
def shop() -> Shop:
    return open_shop()


def test_every_mutation_leaves_a_record_or_a_ledger_entry() -> None:
    mutations = build()._schema.mutation_type
    assert mutations is not None
    assert set(mutations.fields) == ACTS | IN_THE_LEDGER


async def test_a_correction_is_recorded_with_what_was_before_and_after(shop: Shop) -> None:
    async with shop.client() as client:
        client.headers["x-correlation-id"] = "c-1"
        await data(client, ADJUST, mugs(delta=-2, reason="LOST", note="rain"))
    (record,) = shop.records
    assert record[:7] == (NOON, "ann", None, "adjustStock", "MUG WEST", "DONE", ID)
    assert json.loads(record.asked)["note"] == "rain"
    assert record.before is not None
    assert record.after is not None
    nothing = {"reserved": 0, "quarantined": 0, "damaged": 0}
    assert json.loads(record.before) == {"available": FULL, **nothing}
    assert json.loads(record.after) == {"available": FULL - 2, **nothing, "seq": 2}
    assert (record.address, record.correlation_id) == ("127.0.0.1", "c-1")


CHANGES: dict[str, tuple[dict[str, object], str, dict[str, tuple[int, int]]]] = {
    RECEIVE: ({"quantity": 3}, "receiveStock", {"available": (FULL, FULL + 3)}),
    RETURN: ({"quantity": 3, "to": "DAMAGED"}, "returnStock", {"damaged": (0, 3)}),
    MOVE: (
        {"from": "AVAILABLE", "to": "QUARANTINED", "quantity": 1},
        "moveStock",
        {"available": (FULL, FULL - 1), "quarantined": (0, 1)},
    ),
}


@pytest.mark.parametrize("document", CHANGES)
async def test_each_change_of_stock_is_recorded(shop: Shop, document: str) -> None:
    fields, name, changed = CHANGES[document]
    async with shop.client() as client:
        await data(client, document, mugs(**fields))
    (record,) = shop.records
    before, after = json.loads(record.before or ""), json.loads(record.after or "")
    assert record.act == name
    for bucket, (was, now) in changed.items():
        assert (before[bucket], after[bucket]) == (was, now)


async def test_a_refused_change_is_recorded_with_its_reason(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, ADJUST, mugs(delta=-2, reason="LOST", changeFrom=FULL + 1))
    (record,) = shop.records
    assert (record.outcome, record.before) == ("STALE", None)


async def test_texts_that_are_too_long_for_a_target_are_cut(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, RECEIVE, mugs(quantity=1, sku="茶" * 300))
    (record,) = shop.records
    assert (record.outcome, record.target) == ("NOT_FOUND", "茶" * 200)


async def test_of_a_refused_change_no_more_is_kept_than_how_it_began(shop: Shop) -> None:
    """A record is kept for ever, and what is refused may be as long as a body."""
    async with shop.client() as client:
        await data(client, RETURN, mugs(quantity=1, to="DAMAGED", reference="x" * 100_000))
    (record,) = shop.records
    kept = json.loads(record.asked)
    assert (record.outcome, len(kept["beginning"])) == ("INVALID", REFUSED_LIMIT)
    assert kept["characters"] > 100_000


async def test_nor_of_the_reason_which_may_name_what_was_sent(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, RECEIVE, mugs(quantity=1, sku="x" * 100_000))
    (record,) = shop.records
    assert record.outcome == "NOT_FOUND"
    assert len(f"{record.asked}{record.after}") < 3 * REFUSED_LIMIT


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_the_database_does_not_take_is_replaced(text: str) -> None:
    asyncpg_takes = as_json({"note": text}).encode()
    assert b"\0" not in asyncpg_takes


async def test_who_repeats_an_act_leaves_a_second_record(shop: Shop) -> None:
    async with shop.client() as client:
        for _ in range(2):
            await data(client, RECEIVE, mugs(quantity=1))
    assert [record.request_id for record in shop.records] == [ID, ID]
    assert shop.records[0].after == shop.records[1].after


async def test_an_attempt_at_what_one_may_not_do_is_recorded_without_what_was_sent(
    shop: Shop,
) -> None:
    async with shop.client(Role.STOREFRONT, "web") as client:
        await data(client, ADJUST, mugs(delta=-2, reason="LOST", note="secret"))
        await ask(client, '{ ledger(sku: "MUG", warehouse: "WEST") { edges { cursor } } }')
    assert [record[1:6] for record in shop.records] == [
        ("web", None, act, "", NotPermitted.code) for act in ("adjustStock", "ledger")
    ]
    assert not [record for record in shop.records if "secret" in str(record)]


async def test_reading_and_reserving_leave_no_record(shop: Shop) -> None:
    async with shop.client() as client:
        await data(client, LEVEL, {"consistency": "STRONG"})
        await data(client, RESERVE, wants(("MUG", 1)))
    assert shop.records == []


async def test_without_the_trail_an_act_is_not_answered_but_may_be_sent_again(shop: Shop) -> None:
    whole = shop.rt
    shop.rt = dataclasses.replace(whole, trail=broken_trail())
    async with shop.client() as client:
        answer = await ask(client, RECEIVE, mugs(quantity=1))
    assert answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    shop.rt = whole
    async with shop.client() as client:
        again = await data(client, RECEIVE, mugs(quantity=1))
    assert again["available"] == FULL + 1
    assert [record.outcome for record in shop.records] == ["DONE"]


async def test_without_the_trail_who_is_turned_away_is_still_told(shop: Shop) -> None:
    shop.rt = dataclasses.replace(shop.rt, trail=broken_trail())
    async with shop.client(Role.STOREFRONT) as client:
        answer = await data(client, RECEIVE, mugs(quantity=1))
    assert answer["__typename"] == "NotPermitted"
