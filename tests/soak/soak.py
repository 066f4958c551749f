"""A whole shop under load and torment for some minutes, and then the checker's word on it."""

import asyncio
from collections import Counter
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
from tests.soak.history import Balance, Evidence, Row
from tests.soak.tormentor import Tormentor

BUYERS = 24
HOT, COLD = 2, 4
OPENING = 40
"""Units in each cell, few enough to be sold out now and then."""
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
    """What `onhand audit` says where it is not content; empty otherwise."""


def soak(home: Path, minutes: float, seed: int) -> Verdict:
    """Starts a shop of its own and ends it, whatever happens."""
    open_many_files()
    print(f"soak: {minutes:g} minutes, seed {seed}", flush=True)
    shop = Whole(home)
    try:
        shop.start()
        verdict = asyncio.run(tormented(shop, minutes, Random(seed)))
        audited = shop.run("audit")
        if audited.returncode:
            verdict = verdict._replace(audit=audited.stdout + audited.stderr)
    finally:
        shop.stop()
    print(f"soak: {dict(verdict.answers)}, troubles {dict(verdict.troubles)}", flush=True)
    return verdict


async def tormented(shop: Whole, minutes: float, chance: Random) -> Verdict:
    cells = [CellKey(new_code(), new_code()) for _ in range(HOT + COLD)]
    troubles: Counter[str] = Counter()
    async with Caller(shop, connections=2 * BUYERS) as caller:
        buyers = Buyers(caller, cells[:HOT], cells[HOT:])
        await caller.catalogue(cells)
        for cell in cells:
            await buyers.receive(cell, OPENING)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(buyers.supply(Random(chance.random())))
            for _ in range(BUYERS):
                tasks.create_task(buyers.buy(Random(chance.random())))
            tormentor = Tormentor(shop, buyers, chance)
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
            evidence = await evidence_of(books, buyers)
    answers = Counter(f"{call.what} {call.answer}" for call in evidence.calls)
    return Verdict(check(evidence), troubles, answers, "")


async def evidence_of(books: Books, buyers: Buyers) -> Evidence:
    """The ledger as of one instant: deadlines pass while we read."""
    async with books.connection.transaction(isolation="repeatable_read"):
        rows = await books.connection.fetch(ROWS)
        balances = await books.connection.fetch(BALANCES)
    return Evidence(
        tuple(buyers.calls),
        tuple(Row((row[0], row[1]), *row[2:]) for row in map(tuple, rows)),
        {(row[0], row[1]): Balance(*row[2:]) for row in map(tuple, balances)},
    )
