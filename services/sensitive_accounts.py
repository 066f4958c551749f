"""Acts on accounts, roles, keys and second factors that a second person may have to grant. Who may
make an account, give it a role or set its password alone could ask as one person and grant as
another: so these need two as soon as there are two."""

from functools import partial
from uuid import UUID

from domain.access import Caller, Permission
from domain.approvals import DECIDING, Sensitive, is_sensitive_role
from domain.refusals import Invalid, Refusal
from infra.identity_models import ApiKey, PersonGrant
from services import account_changes, factor_removal, identity_acts, people_acts, proposals
from services.account_changes import RevokeRole, SetActive, SetPassword
from services.api_keys import CreateApiKey, Issued
from services.approvals import policy_of
from services.factor_removal import RemoveFactor
from services.granting import GrantRole
from services.people import User
from services.runtime import Runtime
from services.second_factor import SecondFactor
from services.two_people import NO_ID, Way, by_two, one, so, takes_two


async def is_given(grant_id: UUID) -> bool:
    return await PersonGrant.filter(id=grant_id).exists()


async def is_made(key_id: UUID) -> bool:
    return await ApiKey.filter(id=key_id).exists()


async def grant_role(rt: Runtime, caller: Caller, command: GrantRole) -> User | Refusal:
    do = partial(people_acts.grant_role, rt, caller, command)
    powerful = is_sensitive_role(policy_of(rt).roles, [command.grant.role])
    if not await takes_two(rt, caller, Sensitive.GRANT_ROLE, command.id, so(powerful)):
        return await do()
    propose = partial(proposals.role, caller, command)
    way = Way(Sensitive.GRANT_ROLE, str(command.person), command, do, propose, is_given)
    return one(User, await by_two(rt, caller, way))


async def revoke_role(
    rt: Runtime, caller: Caller, grant_id: UUID, id: UUID | None = None
) -> User | Refusal:
    """Of whoever may decide on other people's acts."""
    do = partial(people_acts.revoke_role, rt, caller, grant_id)
    decides = partial(account_changes.is_deciding, grant_id)
    if not await takes_two(rt, caller, Sensitive.REVOKE_ROLE, id, decides):
        return await do()
    if id is None:
        return Invalid("requestId", NO_ID)
    command = RevokeRole(id, grant_id)
    propose = partial(account_changes.of_role, caller, command)
    way = Way(Sensitive.REVOKE_ROLE, str(grant_id), command, do, propose)
    return one(User, await by_two(rt, caller, way))


async def set_active(
    rt: Runtime, caller: Caller, person: UUID, is_active: bool, id: UUID | None = None
) -> User | Refusal:
    """Closing an account that may decide, and opening one that may ask or decide."""
    do = partial(people_acts.set_active, rt, caller, person, is_active)
    roles = policy_of(rt).roles if is_active else DECIDING
    matters = partial(account_changes.is_changed, person, roles, is_active)
    if not await takes_two(rt, caller, Sensitive.SET_ACTIVE, id, matters):
        return await do()
    if id is None:
        return Invalid("id", NO_ID)
    command = SetActive(id, person, is_active)
    propose = partial(account_changes.of_account, caller, command)
    way = Way(Sensitive.SET_ACTIVE, str(person), command, do, propose)
    return one(User, await by_two(rt, caller, way))


async def set_password(
    rt: Runtime, caller: Caller, person: UUID, password: str, id: UUID | None = None
) -> User | Refusal:
    """Of an account that may ask or decide. Granted, it is set when its asker comes again: the
    request keeps nothing of it."""
    do = partial(people_acts.set_password, rt, caller, person, password)
    matters = partial(account_changes.holds, person, policy_of(rt).roles)
    if not await takes_two(rt, caller, Sensitive.SET_PASSWORD, id, matters):
        return await do()
    if id is None:
        return Invalid("id", NO_ID)
    command = SetPassword(id, person)
    propose = partial(account_changes.of_password, rt, caller, command, password)
    again = partial(account_changes.set_password, password)
    way = Way(Sensitive.SET_PASSWORD, str(person), command, do, propose, again=again)
    return one(User, await by_two(rt, caller, way))


async def create_key(rt: Runtime, caller: Caller, command: CreateApiKey) -> Issued | Refusal:
    """The key is made when the asker comes again: nobody else sees its secret."""
    do = partial(people_acts.create_key, rt, caller, command)
    roles = [grant.role for grant in command.grants]
    powerful = is_sensitive_role(policy_of(rt).key_roles, roles)
    if not await takes_two(rt, caller, Sensitive.CREATE_KEY, command.id, so(powerful)):
        return await do()
    propose = partial(proposals.key, rt, caller, command)
    way = Way(Sensitive.CREATE_KEY, command.name, command, do, propose, is_made)
    return one(Issued, await by_two(rt, caller, way))


async def remove_factor(
    rt: Runtime, caller: Caller, code: str, id: UUID | None = None
) -> SecondFactor | Refusal:
    """Of whoever may decide on other people's acts."""
    do = partial(identity_acts.remove_factor, rt, caller, code)
    decides = caller.may_somewhere(Permission.APPROVE)
    if not decides or not await takes_two(rt, caller, Sensitive.REMOVE_FACTOR, id, so(True)):
        return await do()
    if id is None:
        return Invalid("id", NO_ID)
    command = RemoveFactor(id)
    propose = partial(factor_removal.proposal, rt, caller, code, command)
    way = Way(Sensitive.REMOVE_FACTOR, caller.subject, command, do, propose)
    return one(SecondFactor, await by_two(rt, caller, way))
