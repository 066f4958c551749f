"""Changes of accounts that may ask or decide: whether they matter, what a second person is shown of
them, and how they are carried out."""

from collections.abc import Set
from dataclasses import dataclass
from uuid import UUID

import msgspec

from domain.access import Caller, Permission, Role
from domain.approvals import DECIDING, Sensitive
from domain.refusals import NotFound, Refusal
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from infra.identity_models import PersonGrant
from services import people_acts
from services.approvals import Change, Proposal, mark_of, plain
from services.checks import denied
from services.grants import granted, plain_grant, told
from services.people import User, beyond, existing, settable, stored, touchable
from services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class RevokeRole:
    """`id` is the request's."""

    id: UUID
    grant: UUID


@dataclass(frozen=True, slots=True)
class SetActive:
    """`id` is the request's."""

    id: UUID
    person: UUID
    is_active: bool


@dataclass(frozen=True, slots=True)
class SetPassword:
    """`id` is the request's. The password is not in it: what is asked for is kept."""

    id: UUID
    person: UUID


async def is_deciding(grant_id: UUID) -> bool:
    return await PersonGrant.filter(id=grant_id, ended_at=None, role__in=DECIDING).exists()


async def is_changed(person: UUID, roles: Set[Role], is_active: bool) -> bool:
    user = await stored(person)
    return user is not None and user.is_active != is_active and has_one(user, roles)


async def holds(person: UUID, roles: Set[Role]) -> bool:
    user = await stored(person)
    return user is not None and has_one(user, roles)


def has_one(user: User, roles: Set[Role]) -> bool:
    return any(held.grant.role in roles for held in user.grants)


async def of_role(caller: Caller, command: RevokeRole) -> Proposal | Refusal:
    if no := denied(caller, Permission.WRITE_USERS):
        return no
    row = await PersonGrant.get_or_none(id=command.grant)
    if row is None:
        return NotFound("grant", str(command.grant))
    if no := beyond(caller, [granted(row)]):
        return no
    user = await existing(row.person_id)
    change = Change("role", told(plain_grant(granted(row))), None)
    return proposal(caller, Sensitive.REVOKE_ROLE, command, user, change)


async def of_account(caller: Caller, command: SetActive) -> Proposal | Refusal:
    user = await touchable(caller, command.person)
    if not isinstance(user, User):
        return user
    change = Change("account", spelled(user.is_active), spelled(command.is_active))
    return proposal(caller, Sensitive.SET_ACTIVE, command, user, change)


async def of_password(
    rt: Runtime, caller: Caller, command: SetPassword, password: str
) -> Proposal | Refusal:
    user = await settable(rt, caller, command.person, password)
    if not isinstance(user, User):
        return user
    change = Change("password", None, f"set by {caller.subject}")
    return proposal(caller, Sensitive.SET_PASSWORD, command, user, change)


def proposal(
    caller: Caller,
    act: Sensitive,
    command: RevokeRole | SetActive | SetPassword,
    user: User,
    change: Change,
) -> Proposal:
    mark = mark_of(caller, act, command)
    return Proposal(command.id, act, user.email, plain(command), (change,), mark)


async def revoke_role(rt: Runtime, caller: Caller, row: Row) -> User | Refusal:
    command = msgspec.convert(row.command, RevokeRole)
    return await people_acts.revoke_role(rt, caller, command.grant)


async def set_active(rt: Runtime, caller: Caller, row: Row) -> User | Refusal:
    """Once: what somebody else did to the account since stays."""
    command = msgspec.convert(row.command, SetActive)
    if row.state == ApprovalState.DONE:
        return await existing(command.person)
    return await people_acts.set_active(rt, caller, command.person, command.is_active)


async def set_password(password: str, rt: Runtime, caller: Caller, row: Row) -> User | Refusal:
    """Once."""
    command = msgspec.convert(row.command, SetPassword)
    if row.state == ApprovalState.DONE:
        return await existing(command.person)
    return await people_acts.set_password(rt, caller, command.person, password)


def spelled(is_active: bool) -> str:
    return "open" if is_active else "closed"
