"""The waiting room of a flash sale: joining it, tickets, letting in, and what a token proves.

A ticket's id is its place, sealed, so its holder can prove it whatever Redis has lost. The token of
a buyer who was let in is sealed too: to check it nobody is asked.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.access import Caller, Permission
from domain.commands import CellKey
from domain.flash_sales import pool_of
from domain.refusals import Invalid, NotFound, NotPermitted, Refusal, SaleNotOpen, TicketRequired
from domain.waiting_room import (
    TicketState,
    View,
    admission_of,
    is_news,
    paced,
    ticket_id,
    to_admit,
    view_of,
)
from infra.admissions import Admitted
from infra.cache import CacheDown
from infra.models import TEXT_LENGTH
from infra.waiting_room import PLACES_LIMIT, Asked
from services.checks import bad_text, denied
from services.rooms import Now, Watch
from services.runtime import Runtime
from services.seals import opened, sealed

PLACE = "onhand.place"
ADMITTED = "onhand.admitted"
FINAL = (TicketState.CLOSED, TicketState.LAPSED)


class Handle(msgspec.Struct, array_like=True, frozen=True):
    """What a ticket's id says."""

    sale_id: UUID
    customer: str
    place: int


class Token(msgspec.Struct, array_like=True, frozen=True):
    """What the token of a buyer who was let in says; `expires_at` in seconds since 1970."""

    sale_id: UUID
    customer: str
    ticket: UUID
    expires_at: float


HANDLES = msgspec.msgpack.Decoder(Handle)
TOKENS = msgspec.msgpack.Decoder(Token)


@dataclass(frozen=True, slots=True)
class Ticket:
    """`token` is there while the ticket is admitted, until `expires_at`."""

    id: str
    sale_id: UUID
    customer: str
    place: int
    ahead: int
    estimated_wait_seconds: int | None
    state: TicketState
    token: str | None
    expires_at: datetime | None


class Terms(Protocol):
    @property
    def id(self) -> UUID: ...


class Sale(Terms, Protocol):
    """What letting in depends on; `allotments` name the sale's cells."""

    @property
    def opens_at(self) -> datetime: ...

    @property
    def closes_at(self) -> datetime: ...

    @property
    def waiting_room(self) -> bool: ...

    @property
    def admitted_per_second(self) -> int: ...

    @property
    def ttl_seconds(self) -> int: ...

    @property
    def allotments(self) -> Mapping[CellKey, int]: ...


class Shown(NamedTuple):
    """A ticket, and the part of it that changes."""

    ticket: Ticket
    view: View


async def join(rt: Runtime, caller: Caller, sale_id: UUID, customer: str) -> Ticket | Refusal:
    """First come, first served. Joining again gives the same place, unless it has lapsed."""
    if no := denied(caller, Permission.RESERVE) or bad_text("customer", customer, TEXT_LENGTH):
        return no
    watch = rt.rooms.of(sale_id, rt.cache)
    now = await watch.current(rt.clock)
    if now is None:
        return NotFound("flash sale", str(sale_id))
    if not now.sale.waiting_room:
        return Invalid("saleId", "this sale has no waiting room")
    if now.room.is_closed or rt.clock.now() >= now.room.closes_at:
        return SaleNotOpen(now.room.opens_at, now.sale.closed_at or now.room.closes_at)
    until = now.room.closes_at
    place = await watch.joining.place(Asked(customer), until)
    if place and view_of(now.room, place, rt.clock.now()).state is TicketState.LAPSED:
        place = await watch.joining.place(Asked(customer, place), until)
    if not place:
        return Invalid("saleId", f"its waiting room is full: {PLACES_LIMIT} have joined")
    return shown(rt, now, Handle(sale_id, customer, place)).ticket


async def ticket(rt: Runtime, caller: Caller, id: str) -> Ticket | NotPermitted | None:
    """None if it is no ticket of ours."""
    if no := denied(caller, Permission.RESERVE):
        return no
    handle = opened(rt.settings.secret_key, PLACE, id, HANDLES)
    if handle is None:
        return None
    watch = rt.rooms.of(handle.sale_id, rt.cache)
    now = await watch.current(rt.clock)
    if now is None:
        return None
    if now.epoch > 1:
        await restored(watch, handle)
    return shown(rt, now, handle).ticket


async def ticket_changed(rt: Runtime, id: str) -> AsyncGenerator[Ticket, None]:
    """The ticket as it is, then whenever there is news; ends when it can change no more, at once
    if it is no ticket of ours. Raises Outage when too many are watched."""
    handle = opened(rt.settings.secret_key, PLACE, id, HANDLES)
    if handle is None:
        return
    watch = rt.rooms.of(handle.sale_id, rt.cache)
    told: View | None = None
    with rt.rooms.watching(watch, handle.customer, handle.place, rt.clock):
        now = await watch.current(rt.clock)
        while now is not None:
            ticket, view = shown(rt, now, handle)
            if told is None or is_news(told, view):
                told = view
                yield ticket
            if view.state in FINAL:
                return
            await watch.told.wait()
            now = watch.now


async def restored(watch: Watch, handle: Handle) -> None:
    """Redis has lost this queue before; its holder's proof puts the place back."""
    with suppress(CacheDown):
        await watch.restore({handle.customer: handle.place})


def shown(rt: Runtime, now: Now, handle: Handle) -> Shown:
    secret = rt.settings.secret_key
    view = view_of(now.room, handle.place, rt.clock.now())
    token = None
    if view.expires_at is not None:
        ticket = ticket_id(handle.sale_id, handle.customer, handle.place)
        ends = view.expires_at.timestamp()
        token = sealed(secret, ADMITTED, Token(handle.sale_id, handle.customer, ticket, ends))
    made = Ticket(
        id=sealed(secret, PLACE, handle),
        sale_id=handle.sale_id,
        customer=handle.customer,
        place=handle.place,
        ahead=view.ahead,
        estimated_wait_seconds=view.wait_seconds,
        state=view.state,
        token=token,
        expires_at=view.expires_at,
    )
    return Shown(made, view)


def admitted(
    rt: Runtime, terms: Terms, customer: str | None, token: str | None
) -> UUID | TicketRequired:
    """The ticket of a buyer who was let in and is not late."""
    if token is None:
        return TicketRequired(terms.id)
    told = opened(rt.settings.secret_key, ADMITTED, token, TOKENS)
    if told is None or (told.sale_id, told.customer) != (terms.id, customer):
        return TicketRequired(terms.id)
    if rt.clock.now() >= datetime.fromtimestamp(told.expires_at, UTC):
        return TicketRequired(terms.id)
    return told.ticket


async def advance(rt: Runtime, sale: Sale) -> int:
    """Lets in those whose turn it is, and answers how many; called by one process at a time. Raises
    what asyncpg raises."""
    now = rt.clock.now()
    if not sale.waiting_room or not sale.opens_at <= now < sale.closes_at:
        return 0
    watch = rt.rooms.of(sale.id, rt.cache)
    store = rt.rooms.store
    skus = sorted({key.sku for key in sale.allotments})
    since = now - admission_of(sale.ttl_seconds)
    found = await store.progress(sale.id, pool_of(sale.id), skus, since)
    if found is None:
        return 0
    await seeded(watch, sale)
    standing, was_sold_out, paced_at = found
    paced_at = paced_at or sale.opens_at
    count = to_admit(standing, sale.admitted_per_second, paced_at, now)
    if not count and was_sold_out is standing.is_sold_out:
        return 0
    before, upto = standing.admitted_upto, standing.admitted_upto + count
    customers = await names(watch, range(before + 1, upto + 1))
    next_paced = paced(sale.admitted_per_second, paced_at, count, now)
    done = Admitted(before, upto, next_paced, standing.is_sold_out, customers, now)
    await store.admit(sale.id, done)
    return count


async def seeded(watch: Watch, sale: Sale) -> None:
    """A queue that Redis lost is noticed here although nobody joins."""
    with suppress(CacheDown):
        if await watch.queues.epoch(sale.id) is None:
            await watch.joining.begin(sale.closes_at)


async def names(watch: Watch, places: range) -> list[str | None]:
    """A place without a name counts as one who may still buy, until it lapses."""
    try:
        return await watch.queues.customers(watch.sale_id, places)
    except CacheDown:
        return [None] * len(places)
