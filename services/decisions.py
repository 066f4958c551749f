"""A second person's decisions, as records of the trail; what is granted is done at once.

Deciding is one statement that finds the request pending, so of two deciders one decides.
"""

from typing import Any
from uuid import UUID

from domain.access import Caller, Grant, Permission
from domain.approvals import BY_ASKER, NEEDED, Sensitive, is_own
from domain.commands import CellKey
from domain.refusals import ApprovalClosed, Invalid, NotFound, NotPermitted, Refusal
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from services import approval_codes
from services.account import own
from services.approval_codes import Sent
from services.approvals import WHAT, Approval, asker_of, existing, now_of, row_of
from services.approved import GRANT_ACT, carry_out
from services.checks import barred
from services.grants import grant_of
from services.people import beyond
from services.recorded import Act, Around, recorded
from services.runtime import Runtime
from services.sight import out_of_reach

OWN = Invalid("id", "is your own request, or a key's of yours: somebody else decides")


async def grant(rt: Runtime, caller: Caller, id: UUID, code: str) -> Approval | Refusal:
    act = Act(GRANT_ACT, str(id), id, None)
    return await recorded(rt, caller, act, granted(rt, caller, id, code))


async def reject(rt: Runtime, caller: Caller, id: UUID) -> Approval | Refusal:
    act = Act("rejectApproval", str(id), id, None)
    return await recorded(rt, caller, act, rejected(rt, caller, id))


async def granted(rt: Runtime, caller: Caller, id: UUID, code: str) -> Approval | Refusal:
    """An outage leaves it granted: the same decision again, or the asker, finishes it."""
    row = await permitted(rt, caller, id, code)
    if isinstance(row, Refusal):
        return row
    if row.state == ApprovalState.GRANTED and row.act not in BY_ASKER:
        await carry_out(rt, row)
    return await existing(rt, id)


async def send_code(rt: Runtime, caller: Caller, id: UUID) -> Sent | Refusal:
    act = Act("sendApprovalCode", str(id), id, None)
    return await recorded(rt, caller, act, code_sent(rt, caller, id), lambda _: Around(None, None))


async def code_sent(rt: Runtime, caller: Caller, id: UUID) -> Sent | Refusal:
    row = await decidable(rt, caller, id)
    if isinstance(row, Refusal):
        return row
    if now_of(rt, row) is not ApprovalState.PENDING:
        return ApprovalClosed(now_of(rt, row))
    return await approval_codes.send_code(rt, caller, row)


async def decidable(rt: Runtime, caller: Caller, id: UUID) -> Row | Refusal:
    """The request, for somebody who may decide on it."""
    if no := barred(caller, Permission.APPROVE):
        return no
    row = await row_of(caller, id)
    if row is None:
        return NotFound(WHAT, str(id))
    if isinstance(person := await own(caller), NotPermitted):
        return person
    if is_own(asker_of(row), caller.subject, caller.person):
        return OWN
    return await may_not(rt, caller, row) or row


async def permitted(rt: Runtime, caller: Caller, id: UUID, code: str) -> Row | Refusal:
    """The request, granted now or before by the same person. The code is the second factor's own:
    the trust in a device does not do."""
    row = await decidable(rt, caller, id)
    if isinstance(row, Refusal):
        return row
    if row.decided_person == caller.person and row.state != ApprovalState.REJECTED:
        return row
    if now_of(rt, row) is not ApprovalState.PENDING:
        return ApprovalClosed(now_of(rt, row))
    if unlike := await approval_codes.not_proved(rt, caller, row, code):
        return unlike
    if not await decided(rt, caller, row, ApprovalState.GRANTED):
        return ApprovalClosed(now_of(rt, await Row.get(id=id)))
    return await Row.get(id=id)


async def rejected(rt: Runtime, caller: Caller, id: UUID) -> Approval | Refusal:
    """By anybody who might grant it, and by the asker, who takes it back that way."""
    row = await row_of(caller, id)
    if row is None:
        return barred(caller, Permission.APPROVE) or NotFound(WHAT, str(id))
    if not is_own(asker_of(row), caller.subject, caller.person) and (
        no := await may_not(rt, caller, row)
    ):
        return no
    if row.state != ApprovalState.REJECTED and not await decided(
        rt, caller, row, ApprovalState.REJECTED
    ):
        return ApprovalClosed(now_of(rt, await Row.get(id=id)))
    return await existing(rt, id)


async def may_not(rt: Runtime, caller: Caller, row: Row) -> Refusal | None:
    """Why the caller may not decide: what they lack, also to do it themselves."""
    needed = (Permission.APPROVE, NEEDED[Sensitive(row.act)])
    for permission in needed:
        if row.sku is not None and row.warehouse is not None:
            key = CellKey(row.sku.code, row.warehouse.code)
            if no := await out_of_reach(rt, caller, permission, key):
                return no
        elif not caller.may(permission):
            return NotPermitted(permission)
    return beyond(caller, grants_given(row))


async def decided(rt: Runtime, caller: Caller, row: Row, state: ApprovalState) -> bool:
    """False where somebody else was quicker, or time."""
    now = rt.clock.now()
    pending = Row.filter(id=row.id, state=ApprovalState.PENDING, expires_at__gt=now)
    return bool(
        await pending.update(
            state=state,
            decided_by=caller.subject,
            decided_person=caller.person,
            decided_at=now,
            changed_at=now,
        )
    )


def grants_given(row: Row) -> list[Grant]:
    """What granting it would give to somebody."""
    command: dict[str, Any] = row.command
    match row.act:
        case Sensitive.GRANT_ROLE:
            return [grant_of(command["grant"])]
        case Sensitive.CREATE_KEY:
            return [grant_of(plain) for plain in command["grants"]]
    return []
