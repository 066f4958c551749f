"""Carrying out what a second person has granted: once, with the id that it was asked for with, and
only if what the second person was shown is still so. Whoever comes next finishes what broke off."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from domain.access import Caller
from domain.approvals import Sensitive
from domain.commands import CellKey
from domain.refusals import ApprovalClosed, NotPermitted, Refusal, Stale
from domain.states import ApprovalState
from domain.trail import DONE
from infra.approval_models import Approval as Row
from infra.identity_models import Person, PersonGrant
from infra.logs import ORIGIN
from infra.trail import count
from services import account_changes, acts, factor_removal, people_acts, row_changes, trail
from services.api_keys import CreateApiKey, Issued
from services.approvals import ended, existing
from services.flash_sale_rows import FlashSale
from services.granting import GrantRole
from services.grants import held_of
from services.identify import caller_of_key, key_in
from services.levels import StockLevel
from services.outcomes import was_begun
from services.people import User, stored
from services.proposals import grants_in, level_of, units_in
from services.recorded import Act, after_only, keep
from services.row_changes import Written
from services.runtime import Runtime
from services.sale_closing import CloseFlashSale
from services.second_factor import SecondFactor
from services.stock import AdjustStock, MoveStock
from services.trail import Export, ExportTrail

GRANT_ACT = "grantApproval"
Done = StockLevel | User | Issued | Written | FlashSale | SecondFactor | Export
Answer = Done | Refusal
Doing = Callable[[Runtime, Caller, Row], Awaitable[Answer]]
C = TypeVar("C")


async def carry_out(rt: Runtime, row: Row, doing: Doing | None = None) -> Answer:
    """What is done already answers as it did. The trail has the decision before anything is done:
    the process of who decided may have died before it could answer. `doing` is for what the request
    does not keep."""
    if not await is_decision_recorded(row):
        await record_decision(rt, row)
    caller = await asker(rt, row)
    if isinstance(caller, NotPermitted):
        answer: Answer = caller
    else:
        answer = await (doing or DOING[Sensitive(row.act)])(rt, caller, row)
    if isinstance(answer, Stale | ApprovalClosed):
        await ended(rt, row, ApprovalState.STALE, answer.code)
    elif isinstance(answer, Refusal):
        await ended(rt, row, ApprovalState.FAILED, answer.code)
    else:
        await ended(rt, row, ApprovalState.DONE, DONE)
    return answer


async def is_decision_recorded(row: Row) -> bool:
    wanted = [("request_id = {}", row.id), ("act = {}", GRANT_ACT), ("outcome = {}", DONE)]
    return bool(await count(wanted, 1))


async def record_decision(rt: Runtime, row: Row) -> None:
    """In the name of who decided; where they were is known to their own answer's record only."""
    assert row.decided_by is not None
    decider = Caller(row.decided_by, (), row.decided_person)
    elsewhere = ORIGIN.set(None)
    try:
        act = Act(GRANT_ACT, str(row.id), row.id, None)
        await keep(rt, decider, act, DONE, after_only(await existing(rt, row.id)))
    finally:
        ORIGIN.reset(elsewhere)


async def asker(rt: Runtime, row: Row) -> Caller | NotPermitted:
    """Who asked, with what that person or key may do by now. Of a development token no more is
    known than its name: it does what the second person might."""
    if row.asked_person and (key := key_in(row.asked_by)):
        return await caller_of_key(key, rt.clock.now()) or NotPermitted("key:active")
    whose = row.asked_person or row.decided_person
    person = await Person.get_or_none(id=whose, is_active=True).prefetch_related("grants")
    if person is None or person.must_change:
        return NotPermitted("account:active")
    grants = tuple(held.grant for held in held_of(person.grants))
    return Caller(row.asked_by, grants, row.asked_person)


async def adjust(rt: Runtime, caller: Caller, row: Row) -> Answer:
    """The owner itself compares: the command carries what the bucket has to hold."""
    return await acts.adjust(rt, caller, command_in(row, AdjustStock))


async def write_off(rt: Runtime, caller: Caller, row: Row) -> Answer:
    """What has changed since may be this very act, done by somebody else meanwhile: so the stock is
    looked at first, and then whether the act was done."""
    command = command_in(row, MoveStock)
    if row.state == ApprovalState.GRANTED:
        level = await level_of(rt, CellKey(command.sku, command.warehouse))
        shown, actual = int(row.changes[0]["before"] or 0), units_in(level, command.source)
        if shown != actual and not await was_begun(row.id):
            return Stale(shown, actual)
    return await acts.move(rt, caller, command)


async def close_sale(rt: Runtime, caller: Caller, row: Row) -> Answer:
    """A sale that is over by then stays as it is."""
    return await acts.close_sale(rt, caller, command_in(row, CloseFlashSale).sale)


async def grant_role(rt: Runtime, caller: Caller, row: Row) -> Answer:
    command = command_in(row, GrantRole)
    if row.state == ApprovalState.GRANTED:
        user = await stored(command.person)
        is_other = user is None or grants_in(user) != row.changes[0]["before"]
        if is_other and not await PersonGrant.filter(id=row.id).exists():
            return ApprovalClosed(ApprovalState.STALE)
    return await people_acts.grant_role(rt, caller, command)


async def create_key(rt: Runtime, caller: Caller, row: Row) -> Answer:
    return await people_acts.create_key(rt, caller, command_in(row, CreateApiKey))


async def export_trail(rt: Runtime, caller: Caller, row: Row) -> Answer:
    return await trail.export(rt, caller, command_in(row, ExportTrail).wanted)


def command_in(row: Row, kind: type[C]) -> C:
    return msgspec.convert(row.command, kind)


DOING: dict[Sensitive, Doing] = {
    Sensitive.ADJUST: adjust,
    Sensitive.WRITE_OFF: write_off,
    Sensitive.UPSERT_SKUS: row_changes.carry_out,
    Sensitive.UPSERT_WAREHOUSES: row_changes.carry_out,
    Sensitive.CLOSE_SALE: close_sale,
    Sensitive.GRANT_ROLE: grant_role,
    Sensitive.REVOKE_ROLE: account_changes.revoke_role,
    Sensitive.SET_ACTIVE: account_changes.set_active,
    Sensitive.CREATE_KEY: create_key,
    Sensitive.REMOVE_FACTOR: factor_removal.carry_out,
    Sensitive.EXPORT_TRAIL: export_trail,
}
