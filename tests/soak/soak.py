"""A whole shop under load and torment for some minutes, and then the checker's word on it."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random
from time import monotonic
from typing import NamedTuple

from domain.commands import CellKey
from infra.embedded.process import open_many_files
from tests.integration.books import Books, books_of
from tests.integration.caller import Caller, new_code
from tests.integration.whole import Whole
from tests.soak.buyers import Buyers
from tests.soak.checker import check
from tests.soak.crowd import Crowd
from tests.soak.history import HELD, Balance, Call, Evidence, Row, Sale
from tests.soak.tormentor import PARTS, SLOW, Tormentor

BUYERS = 24
SHOWN = 20
"""Complaints that are told word by word."""
HOT, COLD, ON_SALE = 2, 4, 2
LONG_MINUTES = 5
"""A shorter soak leaves out what takes long to come back."""
OPENING = 40
"""Units in each cell, few enough to be sold out now and then."""
HELD_STILL = """
SELECT count(*) FROM hold WHERE reservation_id = ANY($1::uuid[]) AND closed_at IS NULL
"""
ENDED_LOOKS = 100
POLL_SECONDS = 0.2
ROWS = """
SELECT s.code, w.code, e.seq, e.movement, e.quantity, e.pool, e.request_id::text,
  extract(epoch FROM e.at)::float8
FROM entry e JOIN cell c ON c.id = e.cell_id
JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
"""
BALANCES = """
SELECT s.code, w.code, c.seq, c.available, c.reserved
FROM cell c JOIN sku s ON s.id = c.sku_id JOIN warehouse w ON w.id = c.warehouse_id
"""


class Verdict(NamedTuple):
    complaints: list[str]
    troubles: Counter[str]
    answers: Counter[str]
    audit: str
    """What `onhand audit`, of the books and of the trail, says where it is not content."""


def soak(home: Path, minutes: float, seed: int) -> Verdict:
    """Starts a shop of its own and ends it, whatever happens."""
    open_many_files()
    print(f"soak: {minutes:g} minutes, seed {seed}", flush=True)
    shop = Whole(home)
    try:
        shop.start()
        verdict = asyncio.run(tormented(shop, minutes, Random(seed)))
        for audit in (["audit"], ["audit", "--trail"]):
            audited = shop.run(*audit)
            if audited.returncode:
                told = verdict.audit + audited.stdout + audited.stderr
                verdict = verdict._replace(audit=told)
    finally:
        shop.stop()
    print(f"soak: {dict(verdict.answers)}, troubles {dict(verdict.troubles)}", flush=True)
    print("\n".join(verdict.complaints[:SHOWN]), verdict.audit)
    return verdict


async def tormented(shop: Whole, minutes: float, chance: Random) -> Verdict:
    cells = [CellKey(new_code(), new_code()) for _ in range(HOT + COLD)]
    sku = new_code()
    cells += [CellKey(sku, new_code()) for _ in range(ON_SALE)]
    troubles: Counter[str] = Counter()
    async with Caller(shop, connections=2 * BUYERS) as caller:
        buyers = Buyers(caller, cells[:HOT], cells[HOT:])
        crowd = Crowd(buyers, cells[-ON_SALE:])
        await caller.catalogue(cells)
        for cell in cells:
            await buyers.receive(cell, OPENING)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(buyers.supply(Random(chance.random())))
            tasks.create_task(crowd.hold(Random(chance.random())))
            for _ in range(BUYERS):
                tasks.create_task(buyers.buy(Random(chance.random())))
            kinds = set(PARTS) - set(() if minutes >= LONG_MINUTES else SLOW)
            tormentor = Tormentor(shop, buyers, chance, kinds)
            over = monotonic() + minutes * 60
            while monotonic() < over:
                kind, seconds = await tormentor.torment()
                troubles[kind] += 1
                calls = len(buyers.calls)
                print(f"soak: {kind} killed, whole in {seconds:.1f} s, {calls} calls", flush=True)
            buyers.is_over = True
        unknown = await buyers.settle()
        print(f"soak: {caller.unanswered} asked again, {unknown} settled at the end", flush=True)
        async with books_of(shop) as books:
            await broken_off_ended(books, buyers)
            evidence = await evidence_of(books, buyers, crowd.sales.values())
    answers = Counter(called(call) for call in evidence.calls)
    return Verdict(check(evidence), troubles, answers, "")


async def broken_off_ended(books: Books, buyers: Buyers) -> None:
    """Until no order that was refused holds anything. If that never comes, the checker says so."""
    refused = [call.id for call in buyers.calls if call.what == "reserve" and call.answer != HELD]
    for _ in range(ENDED_LOOKS):
        if not await books.connection.fetchval(HELD_STILL, refused):
            return
        await asyncio.sleep(POLL_SECONDS)


def called(call: Call) -> str:
    return f"{call.what}{' in a sale' if call.pool else ''} {call.answer}"


async def evidence_of(books: Books, buyers: Buyers, sales: Iterable[Sale] = ()) -> Evidence:
    """The ledger as of one instant: deadlines pass while we read."""
    async with books.connection.transaction(isolation="repeatable_read"):
        rows = await books.connection.fetch(ROWS)
        balances = await books.connection.fetch(BALANCES)
    return Evidence(
        tuple(buyers.calls),
        tuple(Row((row[0], row[1]), *row[2:]) for row in map(tuple, rows)),
        {(row[0], row[1]): Balance(*row[2:]) for row in map(tuple, balances)},
        tuple(sales),
    )
