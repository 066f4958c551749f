"""Flash sales: made, changed before they open, cancelled, closed early, and asked for.

What opens, closes and clears them away by the clock is services/sale_keeper.py."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q

from domain.access import Caller, Permission
from domain.flash_sales import SaleState, pool_of
from domain.refusals import Conflict, Invalid, NotFound, NotPermitted, Refusal, SaleNotOpen
from infra.models import FlashSale as SaleRow
from services.checks import denied, fingerprint, instant
from services.draw import SaleTerms
from services.flash_sale_checks import bad_content, bad_time, unknown_allotments
from services.flash_sale_rows import Allotment, FlashSale, stored_sale, stored_sales
from services.flash_sale_work import (
    Content,
    Work,
    alone_with,
    begin,
    carry_out,
    columns,
    decoded,
    encoded,
    return_left,
    told,
)
from services.pages import BadPage, Page, after_key, check_first, page_of
from services.runtime import Runtime

FIXED_BEFORE = timedelta(seconds=2)
"""So long before it opens a sale is not changed any more: by then every process has to know it."""
WHAT = "flash sale"


@dataclass(frozen=True, slots=True)
class CreateFlashSale:
    id: UUID
    content: Content


@dataclass(frozen=True, slots=True)
class UpdateFlashSale:
    """None leaves as it is; `is_unlimited` takes the limit per customer away."""

    id: UUID
    name: str | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    limit_per_customer: int | None = None
    is_unlimited: bool = False
    ttl_seconds: int | None = None
    waiting_room: bool | None = None
    admitted_per_second: int | None = None
    allotments: tuple[Allotment, ...] | None = None


async def create(rt: Runtime, caller: Caller, command: CreateFlashSale) -> FlashSale | Refusal:
    """Sets its units aside, all or none. The same again gets the sale as it is by now."""
    sale_id, content = command.id, in_order(command.content)
    if no := denied(caller, Permission.SALES) or bad_content(content):
        return no
    mark = fingerprint("flash sale", content, caller.subject)
    if not await SaleRow.filter(id=sale_id).exists():
        now = rt.clock.now()
        if bad := bad_time(content, now) or await unknown_allotments(rt, content.allotments):
            return bad
    async with alone_with(sale_id):
        row = await SaleRow.get_or_none(id=sale_id)
        if row is not None and row.fingerprint != mark:
            return Conflict(sale_id)
        if row is not None and row.work is not None and decoded(row.work).undo is not None:
            await carry_out(rt, row)
            row = await SaleRow.get_or_none(id=sale_id)
        if row is None:
            row = await begun(rt, caller, sale_id, content, mark)
        refusal = await carry_out(rt, row) if row.revision == 0 else None
        rt.sales.forget(sale_id)
    return refusal or await existing(sale_id)


async def begun(rt: Runtime, caller: Caller, sale_id: UUID, content: Content, mark: int) -> SaleRow:
    now = rt.clock.now()
    work = Work(rt.clock.new_id(), caller.subject, content)
    row = SaleRow(
        id=sale_id,
        **columns(content),
        state=SaleState.PREPARING,
        revision=0,
        fingerprint=mark,
        work=encoded(work),
        created_by=caller.subject,
        created_at=now,
        touched_at=now,
    )
    await row.save(force_create=True)
    return row


async def update(rt: Runtime, caller: Caller, command: UpdateFlashSale) -> FlashSale | Refusal:
    """Before it opens. What is set aside changes by the difference, all of it or nothing."""
    if no := denied(caller, Permission.SALES):
        return no
    async with alone_with(command.id):
        row = await finished_work(rt, command.id)
        if row is None:
            return NotFound(WHAT, str(command.id))
        if late := no_longer(row, rt.clock.now()):
            return late
        sale = await existing(command.id)
        content = changed(sale, command)
        if content == content_of(sale):
            return sale
        if bad := bad_content(content) or bad_time(content, rt.clock.now()):
            return bad
        if unknown := await unknown_allotments(rt, content.allotments):
            return unknown
        await begin(row, Work(rt.clock.new_id(), caller.subject, content))
        refusal = await carry_out(rt, row)
        rt.sales.forget(command.id)
    return refusal or await existing(command.id)


async def cancel(rt: Runtime, caller: Caller, sale_id: UUID) -> FlashSale | Refusal:
    """Before it opens. Its units go back to the open pool."""
    if no := denied(caller, Permission.SALES):
        return no
    async with alone_with(sale_id):
        row = await finished_work(rt, sale_id)
        if row is None:
            return NotFound(WHAT, str(sale_id))
        if row.state == SaleState.CANCELLED:
            return await existing(sale_id)
        now = rt.clock.now()
        if late := no_longer(row, now):
            return late
        await SaleRow.filter(id=sale_id).update(state=SaleState.CANCELLED, closed_at=now)
        rt.sales.forget(sale_id)
        units = await return_left(rt, sale_id, caller.subject)
    told("a flash sale is cancelled", sale_id, units=units)
    return await existing(sale_id)


async def close(rt: Runtime, caller: Caller, sale_id: UUID) -> FlashSale | Refusal:
    """Ends an open sale now instead of when it was to end."""
    if no := denied(caller, Permission.SALES):
        return no
    async with alone_with(sale_id):
        row = await finished_work(rt, sale_id)
        if row is None:
            return NotFound(WHAT, str(sale_id))
        now = rt.clock.now()
        if row.state == SaleState.CANCELLED:
            return Invalid("id", "the sale is cancelled")
        if row.state == SaleState.SCHEDULED and now < row.opens_at:
            return Invalid("id", "the sale has not opened: it can be cancelled")
        if row.state in (SaleState.SCHEDULED, SaleState.OPEN):
            ended = {"closes_at": min(now, row.closes_at), "closed_at": now}
            opened_at = row.opened_at or row.opens_at
            await SaleRow.filter(id=sale_id).update(
                state=SaleState.CLOSED, opened_at=opened_at, **ended
            )
            told("a flash sale is closed early", sale_id, by=caller.subject)
        rt.sales.forget(sale_id)
    return await existing(sale_id)


async def flash_sale(rt: Runtime, caller: Caller, sale_id: UUID) -> FlashSale | NotPermitted | None:
    """None if there is no such sale."""
    return denied(caller, Permission.RESERVE) or await stored_sale(sale_id)


async def flash_sales(
    rt: Runtime,
    caller: Caller,
    states: tuple[SaleState, ...] | None,
    first: int,
    after: str | None,
) -> Page[FlashSale] | NotPermitted:
    """The one that opens last comes first. `states` None means any."""
    if no := denied(caller, Permission.RESERVE):
        return no
    check_first(first)
    query = SaleRow.all() if states is None else SaleRow.filter(state__in=list(states))
    key = after_key(after, (str, str))
    if key is not None:
        opens_at, sale_id = place_of(key)
        query = query.filter(Q(opens_at__lt=opens_at) | Q(opens_at=opens_at, id__lt=sale_id))
    rows = await query.order_by("-opens_at", "-id").limit(first + 1).values_list("id", "opens_at")
    sales = await stored_sales([row[0] for row in rows])
    listed = [row for row in rows if row[0] in sales]
    return page_of(
        listed, first, lambda row: (row[1].isoformat(), str(row[0])), lambda row: sales[row[0]]
    )


def place_of(key: tuple[str | int, ...]) -> tuple[datetime, UUID]:
    try:
        opens_at, sale_id = instant(str(key[0])), UUID(str(key[1]))
    except ValueError:
        raise BadPage("after", "is not a cursor of this list") from None
    return opens_at, sale_id


async def terms_of(rt: Runtime, sale_id: UUID) -> SaleTerms | NotFound | SaleNotOpen:
    """What a reservation out of the sale keeps to, as it was a second ago or later."""
    sale = await rt.sales.get(sale_id)
    if sale is None or not sale.allotments:
        return NotFound(WHAT, str(sale_id))
    if sale.state is SaleState.CANCELLED:
        return SaleNotOpen(None, sale.closed_at)
    cells = sale.cells
    return SaleTerms(
        sale.id,
        min(cells),
        cells,
        pool_of(sale.id),
        sale.opens_at,
        sale.closes_at,
        sale.limit_per_customer,
        sale.ttl_seconds,
        sale.waiting_room,
    )


async def existing(sale_id: UUID) -> FlashSale:
    sale = await stored_sale(sale_id)
    assert sale is not None, "a sale that was whole once is never deleted"
    return sale


async def finished_work(rt: Runtime, sale_id: UUID) -> SaleRow | None:
    """The sale, after what somebody left half done has been finished."""
    row = await SaleRow.get_or_none(id=sale_id)
    if row is None or row.work is None:
        return row
    await carry_out(rt, row)
    return await SaleRow.get_or_none(id=sale_id)


def no_longer(row: SaleRow, now: datetime) -> Invalid | None:
    """Why a sale cannot be changed any more."""
    if row.state != SaleState.SCHEDULED:
        return Invalid("id", f"the sale is {row.state}")
    if now > row.opens_at - FIXED_BEFORE:
        return Invalid("id", "the sale opens in a moment or has opened: it can only be closed")
    return None


def in_order(content: Content) -> Content:
    return replace(content, allotments=tuple(sorted(content.allotments)))


def content_of(sale: FlashSale) -> Content:
    return Content(
        sale.name,
        sale.opens_at,
        sale.closes_at,
        sale.limit_per_customer,
        sale.ttl_seconds,
        sale.waiting_room,
        sale.admitted_per_second,
        tuple(sale.lines),
    )


def changed(sale: FlashSale, command: UpdateFlashSale) -> Content:
    names = [name for name in Content.__slots__ if getattr(command, name) is not None]
    content = replace(content_of(sale), **{name: getattr(command, name) for name in names})
    if command.is_unlimited:
        content = replace(content, limit_per_customer=None)
    return in_order(content)
