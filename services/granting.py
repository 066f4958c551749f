"""Giving somebody a role within a scope, and taking it away: never more than the giver has."""

from dataclasses import dataclass
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain.access import Caller, Grant, Permission
from domain.refusals import Conflict, Invalid, NotFound, Refusal
from infra.identity_models import Person, PersonGrant
from services.checks import denied, fingerprint
from services.grants import GRANTS_LIMIT, bad_scope, granted, plain_grant, plain_scope
from services.owners import is_last_owner
from services.people import WHAT, User, beyond, existing
from services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class GrantRole:
    """`id` is that of the grant, by which it is revoked."""

    id: UUID
    person: UUID
    grant: Grant


async def grant_role(rt: Runtime, caller: Caller, command: GrantRole) -> User | Refusal:
    if no := denied(caller, Permission.WRITE_USERS) or bad_scope("scope", command.grant.scope):
        return no
    if no := beyond(caller, [command.grant]):
        return no
    mark = fingerprint("grant", command.person, plain_grant(command.grant))
    row = await PersonGrant.get_or_none(id=command.id)
    if row is None:
        if not await Person.filter(id=command.person).exists():
            return NotFound(WHAT, str(command.person))
        if (
            await PersonGrant.filter(person_id=command.person, ended_at=None).count()
            >= GRANTS_LIMIT
        ):
            return Invalid("userId", f"has {GRANTS_LIMIT} roles already")
        row = PersonGrant(
            id=command.id,
            person_id=command.person,
            role=command.grant.role,
            scope=plain_scope(command.grant.scope),
            fingerprint=mark,
            granted_by=caller.subject,
            granted_at=rt.clock.now(),
        )
        try:
            await row.save(force_create=True)
        except IntegrityError:
            row = await PersonGrant.get(id=command.id)
    if row.fingerprint != mark:
        return Conflict(command.id)
    return await existing(command.person)


async def revoke_role(rt: Runtime, caller: Caller, grant_id: UUID) -> User | Refusal:
    """Takes effect within seconds, in keys of that person too."""
    if no := denied(caller, Permission.WRITE_USERS):
        return no
    row = await PersonGrant.get_or_none(id=grant_id)
    if row is None:
        return NotFound("grant", str(grant_id))
    if no := beyond(caller, [granted(row)]):
        return no
    async with in_transaction():
        if row.ended_at is None and await is_last_owner(row.person_id, grant_id):
            return Invalid("id", "is the last owner of the shop")
        held = PersonGrant.filter(id=grant_id, ended_at=None)
        await held.update(ended_at=rt.clock.now(), ended_by=caller.subject)
    return await existing(row.person_id)
