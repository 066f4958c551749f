"""Requests for a second person: asked for, looked at, watched. A request stands under the id of its
act; services/decisions.py decides on it, services/approved.py carries out what is granted."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from domain.access import Caller, Permission
from domain.approvals import LIFE, NEEDED, OF_CELLS, Asker, Policy, Sensitive, goes_on, state_of
from domain.refusals import ApprovalClosed, Conflict, NeedsApproval
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from infra.approval_variables import roles_in
from services.changes import patiently
from services.checks import fingerprint
from services.newest import newest_first
from services.pages import Page
from services.runtime import Runtime
from services.sight import NOTHING, sight_of

WHAT = "approval"
DECISIONS = frozenset({"grantApproval", "rejectApproval", "sendApprovalCode"})
"""Mutations that leave a record."""
OVERLAP = timedelta(seconds=5)
LOOK_SECONDS = 1.0
NO_ID = UUID(int=0)
CHANGES_LIMIT = 1_000
"""Changed requests read at once."""
BEGUN = "BEGUN"
"""The outcome of what was carried out and is not recorded yet."""


class Change(NamedTuple):
    """A figure or name, as it was when it was asked for and as it will be; None: there is none."""

    name: str
    before: str | None
    after: str | None


class Proposal(NamedTuple):
    """What shall be done: `command` is what is carried out, `mark` the fingerprint of what was
    asked; `cell` has the ids of SKU and warehouse."""

    id: UUID
    act: Sensitive
    target: str
    command: dict[str, Any]
    changes: tuple[Change, ...]
    mark: int
    cell: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    id: UUID
    act: Sensitive
    state: ApprovalState
    target: str
    sku: str | None
    warehouse: str | None
    changes: tuple[Change, ...]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    outcome: str | None


def policy_of(rt: Runtime) -> Policy:
    settings = rt.settings
    return Policy(
        settings.approval_units,
        settings.approval_value_cents,
        settings.approval_skus,
        settings.approval_records,
        roles_in(settings.approval_roles),
        roles_in(settings.approval_machine_roles),
    )


def mark_of(caller: Caller, act: Sensitive, command: object) -> int:
    """Of what was asked for: who asks again is known by it."""
    return fingerprint(act, plain(command), caller.subject)


def plain(command: object) -> dict[str, Any]:
    asked: dict[str, Any] = msgspec.to_builtins(command)
    return asked


async def ask(rt: Runtime, caller: Caller, proposal: Proposal) -> Row | Conflict:
    """The request of this id, made unless there is one."""
    now = rt.clock.now()
    sku, warehouse = proposal.cell or (None, None)
    row = Row(
        id=proposal.id,
        act=proposal.act,
        state=ApprovalState.PENDING,
        sku_id=sku,
        warehouse_id=warehouse,
        target=proposal.target,
        command=proposal.command,
        changes=[change._asdict() for change in proposal.changes],
        fingerprint=proposal.mark,
        asked_by=caller.subject,
        asked_person=caller.person,
        created_at=now,
        expires_at=now + LIFE,
        changed_at=now,
    )
    try:
        await row.save(force_create=True)
    except IntegrityError:
        row = await Row.get(id=proposal.id)
    return row if row.fingerprint == proposal.mark else Conflict(proposal.id)


async def known(id: UUID, mark: int) -> Row | Conflict | None:
    """What was asked for under this id before."""
    row = await Row.get_or_none(id=id)
    return row if row is None or row.fingerprint == mark else Conflict(id)


def waiting(rt: Runtime, row: Row) -> NeedsApproval | ApprovalClosed:
    """For whoever asks again while it is not granted."""
    state = now_of(rt, row)
    if state is ApprovalState.PENDING:
        return NeedsApproval(row.id, row.act, row.expires_at)
    return ApprovalClosed(state)


def is_going_on(rt: Runtime, row: Row) -> bool:
    state = ApprovalState(row.state)
    return goes_on(Sensitive(row.act), state, row.expires_at, rt.clock.now())


def now_of(rt: Runtime, row: Row) -> ApprovalState:
    state = ApprovalState(row.state)
    return state_of(Sensitive(row.act), state, row.expires_at, rt.clock.now())


async def approval(rt: Runtime, caller: Caller, id: UUID) -> Approval | None:
    """None where there is none for the caller to see: those they may decide on and their own."""
    row = await Row.filter(seen_by(caller), id=id).select_related("sku", "warehouse").first()
    return None if row is None else shown(rt, row)


async def approvals(
    rt: Runtime,
    caller: Caller,
    states: tuple[ApprovalState, ...] | None,
    first: int,
    after: str | None,
) -> Page[Approval]:
    """The newest first."""
    query = Row.filter(seen_by(caller))
    if states is not None:
        query = query.filter(in_states(states, rt.clock.now()))
    query = query.select_related("sku", "warehouse")
    return await newest_first(query, first, after, lambda row: shown(rt, row))


async def changed(rt: Runtime, caller: Caller) -> AsyncGenerator[Approval, None]:
    """Each request of `approvals` that changes, from now on. The clocks of processes differ, so a
    little of what was before is looked at again."""
    since, given = rt.clock.now(), dict[UUID, datetime]()
    while True:
        for row in await patiently(partial(rows_since, caller, since - OVERLAP)):
            if given.get(row.id) != row.changed_at:
                given[row.id] = row.changed_at
                since = max(since, row.changed_at)
                yield shown(rt, row)
        given = {id: at for id, at in given.items() if at > since - OVERLAP}
        await asyncio.sleep(LOOK_SECONDS)


class Place(NamedTuple):
    """In the order of changes."""

    at: datetime
    id: UUID


async def rows_since(caller: Caller, moment: datetime) -> list[Row]:
    """All: so many as can be asked for in the overlap."""
    found = await rows_behind(caller, Place(moment, NO_ID))
    part = found
    while len(part) == CHANGES_LIMIT:
        part = await rows_behind(caller, Place(part[-1].changed_at, part[-1].id))
        found = [*found, *part]
    return found


async def rows_behind(caller: Caller, place: Place) -> list[Row]:
    behind = Q(changed_at__gt=place.at) | Q(changed_at=place.at, id__gt=place.id)
    query = Row.filter(seen_by(caller), behind).select_related("sku", "warehouse")
    return await query.order_by("changed_at", "id").limit(CHANGES_LIMIT)


def in_states(states: tuple[ApprovalState, ...], now: datetime) -> Q:
    stored = Q(state__in=[s for s in states if s is not ApprovalState.PENDING])
    found = [stored]
    if ApprovalState.PENDING in states:
        found.append(Q(state=ApprovalState.PENDING, expires_at__gt=now))
    if ApprovalState.EXPIRED in states:
        found.append(Q(state=ApprovalState.PENDING, expires_at__lte=now))
    return Q(*found, join_type=Q.OR)


def seen_by(caller: Caller) -> Q:
    """Their own, and what they may decide on: whoever may grant an act, and might do it themselves;
    what is about stock where both hold for its cell."""
    wanted = [Q(asked_by=caller.subject)]
    may = {act for act in Sensitive if caller.may(NEEDED[act])}
    if caller.may(Permission.APPROVE):
        wanted.append(Q(act__in=sorted(may)))
    for act in OF_CELLS:
        deciding = [sight_of(caller, one) for one in (Permission.APPROVE, NEEDED[act])]
        if NOTHING not in deciding:
            wanted.append(Q(*(sight.of_cells() for sight in deciding), act=act))
    return Q(*wanted, join_type=Q.OR)


async def row_of(caller: Caller, id: UUID) -> Row | None:
    return await Row.filter(seen_by(caller), id=id).select_related("sku", "warehouse").first()


async def ended(rt: Runtime, row: Row, state: ApprovalState, outcome: str) -> None:
    """What came of a granted request; who comes second finds it ended."""
    granted = Row.filter(id=row.id, state=ApprovalState.GRANTED)
    await granted.update(state=state, outcome=outcome, changed_at=rt.clock.now())


def asker_of(row: Row) -> Asker:
    return Asker(row.asked_by, row.asked_person)


async def existing(rt: Runtime, id: UUID) -> Approval:
    return shown(rt, await Row.get(id=id).select_related("sku", "warehouse"))


def shown(rt: Runtime, row: Row) -> Approval:
    return Approval(
        row.id,
        Sensitive(row.act),
        now_of(rt, row),
        row.target,
        row.sku.code if row.sku else None,
        row.warehouse.code if row.warehouse else None,
        tuple(Change(**change) for change in row.changes),  # type: ignore[arg-type]
        row.asked_by,
        row.created_at,
        row.expires_at,
        row.decided_by,
        row.decided_at,
        None if row.state == ApprovalState.GRANTED else row.outcome,
    )
