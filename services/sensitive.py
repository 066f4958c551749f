"""Acts that a second person may have to grant: done at once where they are small, asked for where
they are not. Sent again with the same id, they go on from where they are."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from domain.access import Caller, Permission
from domain.approvals import (
    Sensitive,
    is_much,
    is_written_off,
    value_of,
)
from domain.refusals import Invalid, Refusal
from services import (
    acts,
    proposals,
    row_changes,
    sale_closing,
    trail,
)
from services.approvals import policy_of
from services.approved import Answer
from services.catalogue import ROWS_LIMIT, SkuRow, WarehouseRow
from services.flash_sale_rows import FlashSale
from services.levels import StockLevel
from services.outcomes import was_begun
from services.row_changes import AnyRow, Table, UpsertRows, Written
from services.runtime import Runtime
from services.sale_closing import CloseFlashSale
from services.sight import sight_of
from services.stock import AdjustStock, MoveStock
from services.trail import Export, ExportTrail, TrailFilter
from services.two_people import NO_ID, Way, by_two, one, refusal_in, takes_two


async def adjust(rt: Runtime, caller: Caller, command: AdjustStock) -> StockLevel | Refusal:
    may = caller.may_somewhere(Permission.ADJUST)
    do = partial(acts.adjust, rt, caller, command)
    if not may or not await is_big(rt, caller, command.sku, abs(command.delta)):
        return await do()
    propose = partial(proposals.adjustment, rt, caller, command)
    target = f"{command.sku} {command.warehouse}"
    way = Way(Sensitive.ADJUST, target, command, do, propose, was_begun)
    return one(StockLevel, await by_two(rt, caller, way))


async def move(rt: Runtime, caller: Caller, command: MoveStock) -> StockLevel | Refusal:
    may = caller.may_somewhere(Permission.MOVE) and is_written_off(command.target)
    do = partial(acts.move, rt, caller, command)
    if not may or not await is_big(rt, caller, command.sku, command.quantity):
        return await do()
    propose = partial(proposals.write_off, rt, caller, command)
    target = f"{command.sku} {command.warehouse}"
    way = Way(Sensitive.WRITE_OFF, target, command, do, propose, was_begun)
    return one(StockLevel, await by_two(rt, caller, way))


async def upsert_skus(
    rt: Runtime, caller: Caller, rows: list[SkuRow], id: UUID | None = None
) -> list[Refusal | None]:
    do = partial(acts.upsert_skus, rt, caller, rows)
    return await upsert(rt, caller, row_changes.SKUS, rows, id, do)


async def upsert_warehouses(
    rt: Runtime, caller: Caller, rows: list[WarehouseRow], id: UUID | None = None
) -> list[Refusal | None]:
    do = partial(acts.upsert_warehouses, rt, caller, rows)
    return await upsert(rt, caller, row_changes.WAREHOUSES, rows, id, do)


async def upsert(
    rt: Runtime,
    caller: Caller,
    table: Table,
    rows: Sequence[AnyRow],
    id: UUID | None,
    do: Callable[[], Awaitable[list[Refusal | None]]],
) -> list[Refusal | None]:
    """All rows wait, or none; a bad row is refused in any case."""
    is_much = partial(row_changes.is_big, rt, policy_of(rt), table, rows)
    if len(rows) > ROWS_LIMIT or not await takes_two(rt, caller, table.act, id, is_much):
        return await do()
    if id is None:
        answer: Answer = Invalid("id", NO_ID)
    else:
        command = UpsertRows(id, tuple(rows))

        async def written() -> Written:
            return Written(tuple(await do()))

        propose = partial(row_changes.proposal, caller, table, command)
        way = Way(table.act, acts.rows_target(rows), command, written, propose)
        answer = await by_two(rt, caller, way)
    if isinstance(answer, Written):
        return list(answer.results)
    return [table.bad(row) or refusal_in(answer) for row in rows]


async def close_sale(
    rt: Runtime, caller: Caller, sale_id: UUID, id: UUID | None = None
) -> FlashSale | Refusal:
    do = partial(acts.close_sale, rt, caller, sale_id)
    much = partial(sale_closing.takes_much, rt, policy_of(rt), sale_id)
    if not await takes_two(rt, caller, Sensitive.CLOSE_SALE, id, much):
        return await do()
    if id is None:
        return Invalid("requestId", NO_ID)
    command = CloseFlashSale(id, sale_id)
    propose = partial(sale_closing.proposal, caller, command)
    way = Way(Sensitive.CLOSE_SALE, str(sale_id), command, do, propose)
    return one(FlashSale, await by_two(rt, caller, way))


async def export_trail(
    rt: Runtime, caller: Caller, wanted: TrailFilter, id: UUID | None = None
) -> Export | Refusal:
    """Raises BadPage naming the field of the filter."""
    trail.check_filter(wanted)
    much = partial(trail.has_more, wanted, policy_of(rt).records)
    if not await takes_two(rt, caller, Sensitive.EXPORT_TRAIL, id, much):
        return await trail.export(rt, caller, wanted)
    if id is None:
        return Invalid("request", NO_ID)
    do = partial(trail.export, rt, caller, wanted)
    command = ExportTrail(id, wanted)
    propose = partial(proposals.trail_export, caller, command)
    way = Way(Sensitive.EXPORT_TRAIL, trail.told(wanted), command, do, propose)
    return one(Export, await by_two(rt, caller, way))


async def is_big(rt: Runtime, caller: Caller, code: str, units: int) -> bool:
    """A SKU that the caller does not see costs the same question as one that does not exist."""
    sku = await rt.catalogue.sku(code, sight_of(caller, Permission.READ_STOCK).skus)
    return sku is not None and is_much(policy_of(rt), units, value_of(units, sku.last_price_cents))
