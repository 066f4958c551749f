"""What a second person is shown before they grant an act: the act itself, with what is there now
and what will be. Looked at by the rules of the act, so that nothing is asked for that cannot be."""

from collections.abc import Sequence
from dataclasses import replace

from domain.access import Caller, Permission
from domain.approvals import Sensitive
from domain.cell import Cell
from domain.commands import Adjust, CellKey, Command, Move
from domain.decisions import decide
from domain.ledger import TRACKED, Bucket
from domain.refusals import NotFound, Refusal
from infra.levels import CellLevel
from infra.outage import Outage
from services.api_keys import CreateApiKey, bad_key
from services.approvals import Change, Proposal, mark_of, plain
from services.checks import denied
from services.granting import GrantRole
from services.grants import bad_scope, plain_grant, told
from services.people import WHAT, User, beyond, stored
from services.runtime import Runtime
from services.stock import AdjustStock, MoveStock, bad_adjust, bad_move, owner_level
from services.trail import ExportTrail
from services.trail import told as told_filter


async def adjustment(rt: Runtime, caller: Caller, command: AdjustStock) -> Proposal | Refusal:
    """What will be done carries what the bucket has to hold, so that the owner itself compares."""
    if no := await bad_adjust(rt, caller, command):
        return no
    key = CellKey(command.sku, command.warehouse)
    level = await level_of(rt, key)
    if no := refused(rt, level, Adjust(command.bucket, command.delta, command.change_from)):
        return no
    held = units_in(level, command.bucket)
    changes = (change(command.bucket, held, command.delta),)
    fixed = replace(command, change_from=held)
    return await of_cell(rt, caller, Sensitive.ADJUST, command, fixed, changes)


async def write_off(rt: Runtime, caller: Caller, command: MoveStock) -> Proposal | Refusal:
    if no := await bad_move(rt, caller, command):
        return no
    level = await level_of(rt, CellKey(command.sku, command.warehouse))
    if no := refused(rt, level, Move(command.source, command.target, command.quantity)):
        return no
    changes = (
        change(command.source, units_in(level, command.source), -command.quantity),
        change(command.target, units_in(level, command.target), command.quantity),
    )
    return await of_cell(rt, caller, Sensitive.WRITE_OFF, command, command, changes)


async def role(caller: Caller, command: GrantRole) -> Proposal | Refusal:
    if no := (
        denied(caller, Permission.WRITE_USERS)
        or bad_scope("scope", command.grant.scope)
        or beyond(caller, [command.grant])
    ):
        return no
    user = await stored(command.person)
    if user is None:
        return NotFound(WHAT, str(command.person))
    before, given = grants_in(user), told(plain_grant(command.grant))
    changes = (Change("roles", before, f"{before}; {given}" if before else given),)
    mark = mark_of(caller, Sensitive.GRANT_ROLE, command)
    return Proposal(command.id, Sensitive.GRANT_ROLE, user.email, plain(command), changes, mark)


async def key(rt: Runtime, caller: Caller, command: CreateApiKey) -> Proposal | Refusal:
    if no := bad_key(rt, caller, command):
        return no
    given = "; ".join(told(plain_grant(grant)) for grant in command.grants)
    mark = mark_of(caller, Sensitive.CREATE_KEY, command)
    changes = (Change("roles", None, given),)
    return Proposal(command.id, Sensitive.CREATE_KEY, command.name, plain(command), changes, mark)


async def trail_export(caller: Caller, command: ExportTrail) -> Proposal:
    act = Sensitive.EXPORT_TRAIL
    changes = (Change("records of the trail are given out", None, told_filter(command.wanted)),)
    mark = mark_of(caller, act, command)
    return Proposal(command.id, act, "trail", plain(command), changes, mark)


async def of_cell(
    rt: Runtime,
    caller: Caller,
    act: Sensitive,
    asked: AdjustStock | MoveStock,
    fixed: AdjustStock | MoveStock,
    changes: Sequence[Change],
) -> Proposal:
    sku, warehouse = (
        await rt.catalogue.sku(asked.sku),
        await rt.catalogue.warehouse(asked.warehouse),
    )
    assert sku is not None, "it was there a moment ago, and is never deleted"
    assert warehouse is not None, "it was there a moment ago, and is never deleted"
    target = f"{asked.sku} {asked.warehouse}"
    place = (sku.id, warehouse.id)
    mark = mark_of(caller, act, asked)
    return Proposal(asked.id, act, target, plain(fixed), tuple(changes), mark, place)


async def level_of(rt: Runtime, key: CellKey) -> CellLevel:
    level = await owner_level(rt, key)
    if level is None:
        raise Outage("the cell's owner is busy: ask again", "BUSY")
    return level


def refused(rt: Runtime, level: CellLevel, command: Command) -> Refusal | None:
    """What the owner would say now."""
    units = [units_in(level, bucket) for bucket in TRACKED]
    cell = Cell(CellKey(level.sku, level.warehouse), level.as_of, seq=level.seq, units=units)
    answer = decide(cell, command, rt.clock.new_id(), rt.clock.now())
    return answer if isinstance(answer, Refusal) else None


def units_in(level: CellLevel, bucket: Bucket) -> int:
    units: int = getattr(level, bucket.value)
    return units


def change(bucket: Bucket, held: int, delta: int) -> Change:
    return Change(bucket.value, str(held), str(held + delta))


def grants_in(user: User) -> str:
    return "; ".join(told(plain_grant(held.grant)) for held in user.grants)
