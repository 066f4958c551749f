"""Stock of a cell: asking for it, and every change but those of reservations."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from actors.wire import Done
from domain.access import Caller, Permission
from domain.cell import Level
from domain.commands import Adjust, CellKey, Command, Line, Move, Read, Receive, Request, Return
from domain.ledger import Bucket, Note
from domain.refusals import Invalid, NotPermitted, Refusal
from infra.cache import CacheDown
from infra.levels import CellLevel
from infra.models import CODE_LENGTH, NAME_LENGTH, NOTE_LENGTH, TEXT_LENGTH, Cell
from services.checks import bad_text, barred, fingerprint, is_storable
from services.levels import (
    COLUMNS,
    StockFilter,
    StockLevel,
    dress,
    from_row,
    of_cell,
    stored_levels,
)
from services.outcomes import was_begun
from services.pages import BadPage, Page, after_key, check_first, page_of
from services.runtime import Runtime
from services.sight import out_of_reach, sight_of

FILTER_LIMIT = 1_000
"""Values in one list of a filter."""
FILTERS = {
    "skus": CODE_LENGTH,
    "warehouses": CODE_LENGTH,
    "categories": NAME_LENGTH,
    "regions": CODE_LENGTH,
}
"""Characters of a value."""


@dataclass(frozen=True, slots=True)
class ReceiveStock:
    id: UUID
    sku: str
    warehouse: str
    quantity: int
    reference: str | None = None
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class AdjustStock:
    id: UUID
    sku: str
    warehouse: str
    bucket: Bucket
    delta: int
    reason: str
    note: str | None = None
    change_from: int | None = None


@dataclass(frozen=True, slots=True)
class MoveStock:
    id: UUID
    sku: str
    warehouse: str
    source: Bucket
    target: Bucket
    quantity: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ReturnStock:
    id: UUID
    sku: str
    warehouse: str
    quantity: int
    target: Bucket = Bucket.QUARANTINED
    reference: str | None = None


async def receive(rt: Runtime, caller: Caller, command: ReceiveStock) -> StockLevel | Refusal:
    key = CellKey(command.sku, command.warehouse)
    if no := (
        barred(caller, Permission.RECEIVE)
        or bad_text("reference", command.reference, TEXT_LENGTH)
        or bad_text("lot", command.lot, TEXT_LENGTH)
    ):
        return no
    if unseen := await out_of_reach(rt, caller, Permission.RECEIVE, key):
        return unseen
    if (closed := await closed_to_goods(rt, key)) and not await was_begun(command.id):
        return closed
    note = Note(caller.subject, command.reference, None, command.lot)
    return await change(rt, command.id, key, Receive(command.quantity), note)


async def adjust(rt: Runtime, caller: Caller, command: AdjustStock) -> StockLevel | Refusal:
    if no := await bad_adjust(rt, caller, command):
        return no
    reason = command.reason if command.note is None else f"{command.reason}: {command.note}"
    key = CellKey(command.sku, command.warehouse)
    asked = Adjust(command.bucket, command.delta, command.change_from)
    return await change(rt, command.id, key, asked, Note(caller.subject, None, reason))


async def move(rt: Runtime, caller: Caller, command: MoveStock) -> StockLevel | Refusal:
    if no := await bad_move(rt, caller, command):
        return no
    key = CellKey(command.sku, command.warehouse)
    asked = Move(command.source, command.target, command.quantity)
    return await change(rt, command.id, key, asked, Note(caller.subject, None, command.note))


async def return_stock(rt: Runtime, caller: Caller, command: ReturnStock) -> StockLevel | Refusal:
    if no := (
        barred(caller, Permission.RETURN) or bad_text("reference", command.reference, TEXT_LENGTH)
    ):
        return no
    key = CellKey(command.sku, command.warehouse)
    if unseen := await out_of_reach(rt, caller, Permission.RETURN, key):
        return unseen
    asked = Return(command.target, command.quantity)
    return await change(rt, command.id, key, asked, Note(caller.subject, command.reference))


async def bad_adjust(rt: Runtime, caller: Caller, command: AdjustStock) -> Refusal | None:
    """Whatever the stock."""
    if no := barred(caller, Permission.ADJUST) or bad_text("note", command.note, NOTE_LENGTH - 100):
        return no
    key = CellKey(command.sku, command.warehouse)
    return await out_of_reach(rt, caller, Permission.ADJUST, key)


async def bad_move(rt: Runtime, caller: Caller, command: MoveStock) -> Refusal | None:
    """Whatever the stock."""
    if no := barred(caller, Permission.MOVE) or bad_text("note", command.note, NOTE_LENGTH):
        return no
    return await out_of_reach(rt, caller, Permission.MOVE, CellKey(command.sku, command.warehouse))


async def change(
    rt: Runtime, request_id: UUID, key: CellKey, command: Command, note: Note
) -> StockLevel | Refusal:
    """Asks the cell's owner; the level is that of the first answer to this id."""
    content = fingerprint(type(command).__name__, key, command, note)
    done = await rt.stock.submit(Request(request_id, content, key, (Line(key, command),), note))
    if not isinstance(done, Done):
        assert isinstance(done, Refusal), "a request of one cell is not put elsewhere"
        return done
    level = done.lines[0].level
    assert level is not None
    return (await dress(rt, [of_cell(key, level)]))[0]


async def stock_level(
    rt: Runtime, caller: Caller, sku: str, warehouse: str, strong: bool
) -> StockLevel | NotPermitted | None:
    """One cell's level; None if there is no such SKU or warehouse, or it is not the caller's to
    see. `strong` asks the owner."""
    if no := barred(caller, Permission.READ_STOCK):
        return no
    key = CellKey(sku, warehouse)
    if await out_of_reach(rt, caller, Permission.READ_STOCK, key) is not None:
        return None
    level = await owner_level(rt, key) if strong else await cached_level(rt, key)
    if level is None:
        return None
    return (await dress(rt, [level]))[0]


async def stock_levels(
    rt: Runtime, caller: Caller, wanted: StockFilter, first: int, after: str | None
) -> Page[StockLevel] | NotPermitted:
    """By SKU and warehouse code."""
    if no := barred(caller, Permission.READ_STOCK):
        return no
    check_first(first)
    check_filter(wanted)
    key = after_key(after, (str, str))
    query = Cell.filter(*conditions(wanted), sight_of(caller, Permission.READ_STOCK).of_cells())
    if key is not None:
        sku, warehouse = key
        query = query.filter(Q(sku__code__gt=sku) | Q(sku__code=sku, warehouse__code__gt=warehouse))
    rows = (
        await query.order_by("sku__code", "warehouse__code").limit(first + 1).values_list(*COLUMNS)
    )
    page = page_of(rows, first, lambda row: (row[1], row[2]), from_row)
    return Page(await dress(rt, page.items), page.cursors, page.has_next)


async def levels_of(
    rt: Runtime, caller: Caller, skus: list[str]
) -> dict[str, list[StockLevel]] | NotPermitted:
    """The levels of each SKU, by warehouse code, in a fixed number of statements."""
    if no := barred(caller, Permission.READ_STOCK):
        return no
    seen = sight_of(caller, Permission.READ_STOCK).of_cells()
    levels = await dress(rt, await stored_levels(seen, sku__code__in=skus))
    by_sku: dict[str, list[StockLevel]] = {code: [] for code in skus}
    for level in sorted(levels, key=lambda level: level.warehouse.code):
        by_sku[level.sku.code].append(level)
    return by_sku


def conditions(wanted: StockFilter) -> list[Q]:
    named: dict[str, Any] = {
        "sku__code__in": wanted.skus,
        "warehouse__code__in": wanted.warehouses,
        "sku__category__in": wanted.categories,
        "warehouse__region__in": wanted.regions,
        "available__lte": wanted.available_at_most,
    }
    return [Q(**{name: value}) for name, value in named.items() if value is not None]


def check_filter(wanted: StockFilter) -> None:
    for field, length in FILTERS.items():
        values = getattr(wanted, field) or ()
        if len(values) > FILTER_LIMIT:
            raise BadPage(f"filter.{field}", f"at most {FILTER_LIMIT} values")
        if not all(is_storable(value, length) for value in values):
            raise BadPage(f"filter.{field}", f"must be texts of at most {length} characters")


async def closed_to_goods(rt: Runtime, key: CellKey) -> Invalid | None:
    """Deactivated SKUs and warehouses take no new goods; what they hold can still be worked on."""
    sku, warehouse = await rt.catalogue.sku(key.sku), await rt.catalogue.warehouse(key.warehouse)
    if sku is not None and not sku.is_active:
        return Invalid("sku", f"{key.sku} is not active")
    if warehouse is not None and not warehouse.is_active:
        return Invalid("warehouse", f"{key.warehouse} is not active")
    return None


async def owner_level(rt: Runtime, key: CellKey) -> CellLevel | None:
    request_id = rt.clock.new_id()
    done = await rt.stock.submit(Request(request_id, 0, key, (Line(key, Read()),), Note("onhand")))
    if not isinstance(done, Done) or done.lines[0].level is None:
        return None
    return of_cell(key, done.lines[0].level)


async def cached_level(rt: Runtime, key: CellKey) -> CellLevel | None:
    """From the read model; from the database where that does not know; an untouched cell is
    empty."""
    try:
        level = await rt.cache.level(key.sku, key.warehouse)
    except CacheDown:
        level = None
    if level is not None:
        return level
    stored = await stored_levels(sku__code=key.sku, warehouse__code=key.warehouse)
    return stored[0] if stored else of_cell(key, Level(0, 0, 0, 0, 0, 0, rt.clock.now()))
