"""Acts that a second person may have to grant: done at once where they are small, asked for where
they are not. Sent again with the same id, they go on from where they are."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from uuid import UUID

from domain.access import EVERYWHERE, PERMISSIONS, Caller, Permission, Role
from domain.approvals import GOES_ON, Sensitive, is_much, is_written_off, needs_second
from domain.refusals import NotPermitted, Refusal
from infra.approval_models import Approval as Row
from infra.identity_models import ApiKey, PersonGrant
from services import acts, people_acts, proposals
from services.api_keys import CreateApiKey, Issued
from services.approvals import Proposal, ask, known, now_of, policy_of, waiting
from services.approved import Answer, carry_out
from services.granting import GrantRole
from services.grants import granted
from services.levels import StockLevel
from services.outcomes import was_begun
from services.people import User
from services.recorded import Act, Around, keep
from services.runtime import Runtime
from services.sight import sight_of
from services.stock import AdjustStock, MoveStock

Command = AdjustStock | MoveStock | GrantRole | CreateApiKey


class Way(NamedTuple):
    """How an act is done by one person, asked for by one of two, and known to have been done."""

    act: Sensitive
    do: Callable[[Runtime, Caller, Any], Awaitable[Answer]]
    propose: Callable[[Runtime, Caller, Any], Awaitable[Proposal | Refusal]]
    is_begun: Callable[[UUID], Awaitable[bool]]


async def is_given(grant_id: UUID) -> bool:
    return await PersonGrant.filter(id=grant_id).exists()


async def is_made(key_id: UUID) -> bool:
    return await ApiKey.filter(id=key_id).exists()


ADJUST = Way(Sensitive.ADJUST, acts.adjust, proposals.adjustment, was_begun)
WRITE_OFF = Way(Sensitive.WRITE_OFF, acts.move, proposals.write_off, was_begun)
GRANT_ROLE = Way(Sensitive.GRANT_ROLE, people_acts.grant_role, proposals.role, is_given)
CREATE_KEY = Way(Sensitive.CREATE_KEY, people_acts.create_key, proposals.key, is_made)


async def adjust(rt: Runtime, caller: Caller, command: AdjustStock) -> StockLevel | Refusal:
    may = caller.may_somewhere(Permission.ADJUST)
    if not may or not await is_big(rt, caller, command.sku, abs(command.delta)):
        return await acts.adjust(rt, caller, command)
    answer = await by_two(rt, caller, ADJUST, f"{command.sku} {command.warehouse}", command)
    assert not isinstance(answer, User | Issued)
    return answer


async def move(rt: Runtime, caller: Caller, command: MoveStock) -> StockLevel | Refusal:
    may = caller.may_somewhere(Permission.MOVE) and is_written_off(command.target)
    if not may or not await is_big(rt, caller, command.sku, command.quantity):
        return await acts.move(rt, caller, command)
    answer = await by_two(rt, caller, WRITE_OFF, f"{command.sku} {command.warehouse}", command)
    assert not isinstance(answer, User | Issued)
    return answer


async def grant_role(rt: Runtime, caller: Caller, command: GrantRole) -> User | Refusal:
    others = await other_deciders(caller, Permission.WRITE_USERS)
    if not needs_second(policy_of(rt), [command.grant.role], others):
        return await people_acts.grant_role(rt, caller, command)
    answer = await by_two(rt, caller, GRANT_ROLE, str(command.person), command)
    assert not isinstance(answer, StockLevel | Issued)
    return answer


async def create_key(rt: Runtime, caller: Caller, command: CreateApiKey) -> Issued | Refusal:
    """The key is made when the asker comes again: nobody else sees its secret."""
    others = await other_deciders(caller, Permission.WRITE_KEYS)
    if not needs_second(policy_of(rt), [grant.role for grant in command.grants], others):
        return await people_acts.create_key(rt, caller, command)
    answer = await by_two(rt, caller, CREATE_KEY, command.name, command)
    assert not isinstance(answer, StockLevel | User)
    return answer


async def by_two(rt: Runtime, caller: Caller, way: Way, target: str, command: Command) -> Answer:
    """What has been granted is carried out, or answers again. Every other answer is a refusal,
    which leaves its record."""
    answer: Row | Refusal | None = await known(
        command.id, proposals.mark_of(caller, way.act, command)
    )
    if answer is None and await way.is_begun(command.id):
        return await way.do(rt, caller, command)
    if answer is None:
        answer = await requested(rt, caller, await way.propose(rt, caller, command))
    if isinstance(answer, Row):
        if now_of(rt, answer) in GOES_ON:
            return await carry_out(rt, answer)
        answer = waiting(rt, answer)
    if not isinstance(answer, NotPermitted):
        act = Act(way.act, target, command.id, command)
        await keep(rt, caller, act, answer.code, Around(None, answer.message))
    return answer


async def requested(rt: Runtime, caller: Caller, proposal: Proposal | Refusal) -> Row | Refusal:
    return await ask(rt, caller, proposal) if isinstance(proposal, Proposal) else proposal


async def is_big(rt: Runtime, caller: Caller, code: str, units: int) -> bool:
    """A SKU that the caller does not see costs the same question as one that does not exist."""
    sku = await rt.catalogue.sku(code, sight_of(caller, Permission.READ_STOCK).skus)
    return sku is not None and is_much(policy_of(rt), units, sku.last_price_cents)


async def other_deciders(caller: Caller, need: Permission) -> list[UUID]:
    """The people with a second factor who could grant what this caller may do."""
    if not caller.may(need):
        return []
    roles = [role for role in Role if PERMISSIONS[role] >= {need, Permission.APPROVE}]
    rows = await PersonGrant.filter(
        role__in=roles,
        ended_at=None,
        person__is_active=True,
        person__second_factor__confirmed_at__isnull=False,
    )
    whole = {row.person_id for row in rows if granted(row).scope == EVERYWHERE}
    return sorted(whole - {caller.person})
