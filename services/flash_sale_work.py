"""Changing what a flash sale sets aside: all of a change or nothing, by one at a time.

A change is written down before its first unit moves. If whoever makes it dies, the same call or
the keeper takes it up again: each step has an id of its own and is taken once.
"""

import logging
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from tortoise.transactions import in_transaction

from actors.wire import Done
from domain.commands import Allot, CellKey, Command, Line, Request, Unallot
from domain.flash_sales import SaleState, Step, pool_of, step_id, steps
from domain.ledger import Note
from domain.refusals import Refusal
from infra.database import connection
from infra.locks import Lock, alone
from infra.models import FlashSale as SaleRow
from infra.models import FlashSaleCell
from services.checks import fingerprint
from services.flash_sale_rows import Allotment
from services.runtime import Runtime

PATIENCE_SECONDS = 8.0
"""For others who change the same sale."""
LEFT = """
SELECT f.sku, f.warehouse, c.seq, (c.pools->>$2)::int
FROM flash_sale_cell f JOIN sku s ON s.code = f.sku JOIN warehouse w ON w.code = f.warehouse
JOIN cell c ON c.sku_id = s.id AND c.warehouse_id = w.id
WHERE f.sale_id = $1 AND c.pools->>$2 IS NOT NULL
"""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Content:
    """What people say of a sale."""

    name: str
    opens_at: datetime
    closes_at: datetime
    limit_per_customer: int | None
    ttl_seconds: int
    waiting_room: bool
    admitted_per_second: int
    allotments: tuple[Allotment, ...]

    @property
    def units(self) -> dict[CellKey, int]:
        return {CellKey(line.sku, line.warehouse): line.quantity for line in self.allotments}


class Work(msgspec.Struct, frozen=True):
    """A change under way. `undo` is what it has to give back, once it was refused."""

    id: UUID
    caller: str
    content: Content
    undo: tuple[Allotment, ...] | None = None


def encoded(work: Work) -> bytes:
    return msgspec.msgpack.encode(work)


def decoded(work: bytes) -> Work:
    return msgspec.msgpack.decode(work, type=Work)


def alone_with(sale_id: UUID) -> AbstractAsyncContextManager[Lock]:
    return alone(lock_key(sale_id), PATIENCE_SECONDS)


def lock_key(sale_id: UUID) -> int:
    return fingerprint("lock of a flash sale", sale_id)


async def begin(row: SaleRow, work: Work) -> None:
    row.work = encoded(work)
    await SaleRow.filter(id=row.id).update(work=row.work)


async def carry_out(rt: Runtime, row: SaleRow) -> Refusal | None:
    """Finishes the work that is written down. A refusal, or that an earlier run was refused, gives
    back what was set aside; a sale that has never been whole is forgotten then."""
    if row.work is None:
        return None
    work = decoded(row.work)
    refusal = None
    if work.undo is None:
        held = await held_units(row.id)
        needed = steps(held, work.content.units)
        refusal, taken = await set_aside(rt, row, work, [s for s in needed if s.units > 0])
        if refusal is None:
            await give_back(rt, row, work, "less", [s for s in needed if s.units < 0])
            await complete(rt, row, work)
            return None
        undo = tuple(Allotment(*step.cell, step.units) for step in taken)
        work = Work(work.id, work.caller, work.content, undo)
        await begin(row, work)
    undone = [Step(CellKey(a.sku, a.warehouse), -a.quantity) for a in work.undo or ()]
    await give_back(rt, row, work, "back", undone)
    await forget(row)
    told("a flash sale's change was given up", row.id, revision=row.revision)
    return refusal


async def set_aside(
    rt: Runtime, row: SaleRow, work: Work, wanted: list[Step]
) -> tuple[Refusal | None, list[Step]]:
    """The first refusal, and the steps that were taken."""
    pool = pool_of(row.id)
    asked = [
        request(step_id(work.id, "more", s.cell), s.cell, Allot(pool, s.units), work.caller, row.id)
        for s in wanted
    ]
    answers = await rt.stock.submit_many(asked)
    taken = [s for s, answer in zip(wanted, answers, strict=True) if isinstance(answer, Done)]
    refused = (answer for answer in answers if isinstance(answer, Refusal))
    return next(refused, None), taken


async def give_back(rt: Runtime, row: SaleRow, work: Work, occasion: str, back: list[Step]) -> None:
    """What a buyer has taken meanwhile cannot be given back, and comes back with the sale."""
    pool = pool_of(row.id)
    asked = [
        request(
            step_id(work.id, occasion, s.cell), s.cell, Unallot(pool, -s.units), work.caller, row.id
        )
        for s in back
    ]
    for step, answer in zip(back, await rt.stock.submit_many(asked), strict=True):
        if isinstance(answer, Refusal):
            told("units were not there to be given back", row.id, cell=str(step.cell))


async def return_left(rt: Runtime, sale_id: UUID, caller: str) -> int:
    """All that lies in the sale's pools goes to the open pool; how many units that was. A step's
    id tells at which seq of its cell it was needed."""
    pool = pool_of(sale_id)
    rows = (await connection().execute_query(LEFT, [sale_id, pool]))[1]
    left = {CellKey(row[0], row[1]): (row[2], row[3]) for row in map(tuple, rows)}
    asked = [
        request(step_id(sale_id, f"left/{seq}", cell), cell, Unallot(pool, units), caller, sale_id)
        for cell, (seq, units) in sorted(left.items())
    ]
    answers = await rt.stock.submit_many(asked)
    units = [left[r.home][1] for r, a in zip(asked, answers, strict=True) if isinstance(a, Done)]
    return sum(units)


def request(id: UUID, cell: CellKey, command: Command, caller: str, sale_id: UUID) -> Request:
    content = fingerprint(type(command).__name__, cell, command)
    return Request(id, content, cell, (Line(cell, command),), Note(caller, str(sale_id)))


async def held_units(sale_id: UUID) -> dict[CellKey, int]:
    rows = await FlashSaleCell.filter(sale_id=sale_id).values_list("sku", "warehouse", "units")
    return {CellKey(row[0], row[1]): row[2] for row in rows}


async def complete(rt: Runtime, row: SaleRow, work: Work) -> None:
    content = work.content
    state = SaleState.SCHEDULED if row.state == SaleState.PREPARING else row.state
    async with in_transaction():
        await SaleRow.filter(id=row.id).update(
            **columns(content),
            state=state,
            revision=row.revision + 1,
            work=None,
            touched_at=rt.clock.now(),
        )
        await FlashSaleCell.filter(sale_id=row.id).delete()
        await FlashSaleCell.bulk_create(
            FlashSaleCell(sale_id=row.id, sku=key.sku, warehouse=key.warehouse, units=units)
            for key, units in content.units.items()
        )
    told("a flash sale is set up", row.id, revision=row.revision + 1)


async def forget(row: SaleRow) -> None:
    if row.revision == 0:
        await SaleRow.filter(id=row.id).delete()
    else:
        await SaleRow.filter(id=row.id).update(work=None)


def columns(content: Content) -> dict[str, object]:
    names: Iterable[str] = (name for name in Content.__slots__ if name != "allotments")
    return {name: getattr(content, name) for name in names}


def told(event: str, sale_id: UUID, **more: object) -> None:
    extra: Mapping[str, object] = {"saleId": str(sale_id), **more}
    log.info(event, extra=extra)
