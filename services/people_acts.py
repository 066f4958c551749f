"""What is done to accounts, roles and keys, as records of the trail, with what was before and
after. Passwords and keys are left out."""

from collections.abc import Awaitable
from dataclasses import replace
from uuid import UUID

from domain.access import Caller, Permission
from domain.refusals import Refusal
from services import api_keys, granting, people
from services.api_keys import ApiKey, CreateApiKey, Issued, RotateApiKey
from services.granting import GrantRole
from services.people import CreateUser, User
from services.recorded import Act, Around, recorded
from services.runtime import Runtime

ACTS = frozenset(
    {
        "createUser",
        "setUserActive",
        "setUserPassword",
        "grantRole",
        "revokeRole",
        "createApiKey",
        "rotateApiKey",
        "revokeApiKey",
    }
)
"""Mutations that leave a record."""


async def create_user(rt: Runtime, caller: Caller, command: CreateUser) -> User | Refusal:
    asked = replace(command, password=None)
    act = Act("createUser", command.email, command.id, asked)
    return await recorded(rt, caller, act, people.create_user(rt, caller, command))


async def set_active(rt: Runtime, caller: Caller, person: UUID, is_active: bool) -> User | Refusal:
    act = Act("setUserActive", str(person), None, {"isActive": is_active})
    return await changed(rt, caller, act, person, people.set_active(rt, caller, person, is_active))


async def set_password(rt: Runtime, caller: Caller, person: UUID, password: str) -> User | Refusal:
    act = Act("setUserPassword", str(person), None, None)
    doing = people.set_password(rt, caller, person, password)
    return await changed(rt, caller, act, person, doing)


async def grant_role(rt: Runtime, caller: Caller, command: GrantRole) -> User | Refusal:
    act = Act("grantRole", str(command.person), command.id, command.grant)
    doing = granting.grant_role(rt, caller, command)
    return await changed(rt, caller, act, command.person, doing)


async def revoke_role(rt: Runtime, caller: Caller, grant_id: UUID) -> User | Refusal:
    act = Act("revokeRole", str(grant_id), grant_id, None)
    return await recorded(rt, caller, act, granting.revoke_role(rt, caller, grant_id))


async def changed(
    rt: Runtime, caller: Caller, act: Act, person: UUID, doing: Awaitable[User | Refusal]
) -> User | Refusal:
    before = await people.stored(person) if caller.may(Permission.WRITE_USERS) else None
    return await recorded(rt, caller, act, doing, lambda after: Around(before, after))


async def create_key(rt: Runtime, caller: Caller, command: CreateApiKey) -> Issued | Refusal:
    act = Act("createApiKey", str(command.id), command.id, command)
    doing = api_keys.create_key(rt, caller, command)
    return await recorded(rt, caller, act, doing, without_secret)


async def rotate_key(rt: Runtime, caller: Caller, command: RotateApiKey) -> Issued | Refusal:
    act = Act("rotateApiKey", str(command.key), command.id, command)
    doing = api_keys.rotate_key(rt, caller, command)
    return await recorded(rt, caller, act, doing, without_secret)


async def revoke_key(rt: Runtime, caller: Caller, key_id: UUID) -> ApiKey | Refusal:
    act = Act("revokeApiKey", str(key_id), key_id, None)
    return await recorded(rt, caller, act, api_keys.revoke_key(rt, caller, key_id))


def without_secret(issued: Issued) -> Around:
    return Around(None, issued.api_key)
