"""The ledger beside its digests in a real database: whatever is changed in it is found, by whoever
owns the database too, and what is taken while others sell is whole."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from domain.digests import LedgerFault
from domain.trail import Link
from infra import trail
from infra.database import connection
from infra.embedded.places import prepare
from infra.embedded.postgres import Postgres
from services.ledger_digests import Digester, LedgerFinding, LedgerReport, inspect_ledger, told_by
from services.stock import ReceiveStock, receive
from tests.integration.sale_shop import CUP, TEA, sale_shop
from tests.services.world import ADMIN, Shop

CELLS = 4
UNGUARD = "ALTER TABLE {} DISABLE TRIGGER USER"
GUARD = "ALTER TABLE {} ENABLE TRIGGER USER"
KEPT = ("audit_record", "ledger_digest")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("home")
    server = Postgres(prepare(home))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Shop]:
    async with sale_shop(url) as made:
        await forced(*(f"DELETE FROM {table}" for table in KEPT))
        yield made


async def forced(*statements: str) -> None:
    """As whoever owns the database: no trigger is in the way."""
    for table in KEPT:
        await connection().execute_query(UNGUARD.format(table))
    for statement in statements:
        await connection().execute_query(statement)
    for table in KEPT:
        await connection().execute_query(GUARD.format(table))


async def links() -> list[Link]:
    return [link async for page in trail.links() for link in page]


async def inspected() -> LedgerReport:
    return await inspect_ledger(dict(told_by(await links())), lambda _: None)


async def more(shop: Shop, units: int = 1) -> None:
    """One entry more in TEA."""
    answer = await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *TEA, units))
    assert answer.__class__.__name__ == "StockLevel", answer


async def took(shop: Shop) -> None:
    await Digester(shop.clock, share=0).look()


async def test_what_is_taken_is_told_by_a_record_and_found_whole(shop: Shop) -> None:
    assert (await inspected()).unproved == CELLS
    await took(shop)
    (link,) = await links()
    assert (link.record.act, link.record.target) == ("digestLedger", f"{CELLS} cells")
    await took(shop)
    assert len(await links()) == 1, "there is nothing new to tell of"
    await more(shop)
    await took(shop)
    report = await inspected()
    assert (report.entries, report.unproved, report.count) == (CELLS + 1, 0, 0)


CHANGES: list[tuple[str, list[LedgerFault]]] = [
    (f"UPDATE entry SET {column} = {value} WHERE seq = 2", [LedgerFault.CHANGED])
    for column, value in [
        ("quantity", "quantity + 1"),
        ("movement", "6"),
        ("pool", "'sale'"),
        ("request_id", "gen_random_uuid()"),
        ("caller", "'mallory'"),
        ("reference", "'order 7'"),
        ("reason", "'lost'"),
        ("lot", "'L'"),
        ("at", "at + interval '1 microsecond'"),
    ]
]
GONE = [
    ("DELETE FROM entry WHERE seq = 2", [LedgerFault.MISSING]),
    ("DELETE FROM ledger_digest WHERE first_seq = 2", [LedgerFault.MISSING]),
    ("UPDATE ledger_digest SET hash = sha256('x') WHERE first_seq = 3", [LedgerFault.CHANGED]),
]


@pytest.mark.parametrize(("statement", "faults"), CHANGES + GONE)
async def test_whatever_is_changed_is_found(
    shop: Shop, statement: str, faults: list[LedgerFault]
) -> None:
    """TEA in EAST has three stretches of one entry each."""
    for _ in range(2):
        await took(shop)
        await more(shop)
    await took(shop)
    assert (await inspected()).count == 0
    await forced(statement)
    report = await inspected()
    assert [finding.fault for finding in report.findings] == faults
    assert {(one.sku, one.warehouse) for one in report.findings} == {TEA}
    assert bool(report.lost) == ("ledger_digest" in statement)


async def test_two_entries_that_change_places_are_found(shop: Shop) -> None:
    await more(shop, 2)
    await took(shop)
    await forced(
        "UPDATE entry SET seq = -1 * seq + 3 + 100 WHERE seq IN (1, 2) AND cell_id = 1",
        "UPDATE entry SET seq = seq - 100 WHERE seq > 100",
    )
    assert (await inspected()).findings == [LedgerFinding(LedgerFault.CHANGED, *TEA, 1, 2)]


async def test_who_makes_the_hashes_anew_does_not_get_past_the_trail(shop: Shop) -> None:
    await took(shop)
    told = dict(told_by(await links()))
    await forced("UPDATE entry SET quantity = 7", "DELETE FROM ledger_digest")
    await took(shop)
    (forged,) = set(dict(told_by(await links()))) - set(told)
    report = await inspected()
    assert (report.findings, report.lost) == ([], [*told]), "the stretches are those of the forged"
    await forced(f"UPDATE ledger_digest SET record_seq = {max(told)} WHERE record_seq = {forged}")
    assert (await inspected()).lost == [max(told), forged]


async def test_a_cell_with_many_entries_is_taken_bit_by_bit(shop: Shop) -> None:
    for _ in range(6):
        await more(shop)
    await Digester(shop.clock, share=0, stretch_limit=2).look()
    report = await inspected()
    assert (report.entries, report.unproved, report.count) == (CELLS + 6, 0, 0)
    assert len(await links()) == 4


async def test_of_a_cell_with_a_hole_nothing_is_taken_and_the_others_are(shop: Shop) -> None:
    await connection().execute_query("DELETE FROM entry WHERE cell_id = 1")
    await took(shop)
    report = await inspected()
    assert (report.entries, report.unproved, report.count) == (CELLS - 1, 1, 0)


async def test_two_who_take_at_once_keep_each_entry_once(shop: Shop) -> None:
    answers = await asyncio.gather(*(took(shop) for _ in range(4)), return_exceptions=True)
    assert answers.count(None) >= 1
    assert {type(no) for no in answers if no} <= {asyncpg.UniqueViolationError}
    report = await inspected()
    assert (report.entries, report.unproved, report.count) == (CELLS, 0, 0)
    assert len(await links()) == 1


async def test_what_is_sold_meanwhile_is_whole(shop: Shop) -> None:
    async def sold() -> None:
        for number in range(40):
            cell = (TEA, CUP)[number % 2]
            await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, 1))

    selling = asyncio.ensure_future(sold())
    while not selling.done():
        await took(shop)
    await selling
    await took(shop)
    report = await inspected()
    assert (report.entries, report.unproved, report.count) == (CELLS + 40, 0, 0)


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_digest SET hash = ''", "DELETE FROM ledger_digest"]
)
async def test_the_table_refuses_to_change_or_forget(shop: Shop, statement: str) -> None:
    await took(shop)
    with pytest.raises(Exception, match="not changed and not deleted"):
        await connection().execute_query(statement)
