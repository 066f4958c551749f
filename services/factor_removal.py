"""Taking off the second factor of whoever may decide on other people's acts: somebody else agrees,
or a stolen session with one code would be enough to put the thief's own in its place."""

from dataclasses import dataclass
from uuid import UUID

from domain.access import Caller
from domain.approvals import Sensitive
from domain.refusals import Refusal
from infra.approval_models import Approval as Row
from infra.identity_models import SecondFactor as FactorRow
from services.approvals import Change, Proposal, mark_of
from services.identity_acts import untold
from services.runtime import Runtime
from services.second_factor import Proof, SecondFactor, proved_row, second_factor

ACT = Sensitive.REMOVE_FACTOR


@dataclass(frozen=True, slots=True)
class RemoveFactor:
    """`id` is the request's."""

    id: UUID


async def proposal(
    rt: Runtime, caller: Caller, code: str, command: RemoveFactor
) -> Proposal | Refusal:
    """Only with a code, which is used up by it."""
    row = await proved_row(rt, caller, Proof(code))
    if not isinstance(row, FactorRow):
        return row
    changes = (Change("second factor", "on", "off"),)
    plain = {"id": str(command.id), "factor": str(row.id)}
    mark = mark_of(caller, ACT, command)
    return Proposal(command.id, ACT, caller.subject, plain, changes, mark)


async def carry_out(rt: Runtime, caller: Caller, row: Row) -> SecondFactor | Refusal:
    """The one that was on when it was asked for, once; a new one stays."""
    return await untold(rt, caller, ACT, without(caller, UUID(str(row.command["factor"]))))


async def without(caller: Caller, factor: UUID) -> SecondFactor | Refusal:
    await FactorRow.filter(id=factor).delete()
    return await second_factor(caller)
