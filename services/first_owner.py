"""The first owner of the shop, made by whoever has the machine: nobody could grant it to them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain.access import EVERYWHERE, Grant, Role
from domain.people import email_address
from domain.trail import DONE, Record
from infra.clock import Clock
from infra.identity_models import Person, PersonGrant
from infra.models import NAME_LENGTH
from infra.passwords import Passwords
from infra.trail import Trail
from services.checks import bad_text, fingerprint
from services.grants import plain_grant, plain_scope
from services.owners import owners

MAKER = "command-line"
FIRST_LOCK = 0x6F6E_6861_6E64_666F
"""The advisory lock of who makes the first owner: onhandfo in ASCII."""
LOCK = "SELECT pg_advisory_xact_lock($1)"
OWNER = Grant(Role.OWNER, EVERYWHERE)


@dataclass(frozen=True, slots=True)
class Owner:
    email: str
    name: str
    password: str = field(repr=False)


async def make_owner(passwords: Passwords, clock: Clock, owner: Owner) -> str | None:
    """Why it is refused, or None where it is done. While the shop has an owner it is refused: who
    has taken the machine's command line must not become one unseen. Of those who try at once the
    first one succeeds."""
    address = email_address(owner.email)
    if address is None:
        return "that is no e-mail address"
    if bad := bad_text("name", owner.name, NAME_LENGTH):
        return f"the name {bad.message}"
    if why := await passwords.weakness(owner.password, (address, owner.name)):
        return f"the password {why}"
    kept = await passwords.hashed(owner.password)
    now = clock.now()
    try:
        async with in_transaction() as connection:
            await connection.execute_query(LOCK, [FIRST_LOCK])
            if await owners():
                return "the shop has an owner already: they make accounts and give roles"
            person = await Person.create(
                id=clock.new_id(),
                email=address,
                name=owner.name,
                password_hash=kept,
                fingerprint=fingerprint("user", address, owner.name, False),
                created_by=MAKER,
                created_at=now,
            )
            await PersonGrant.create(
                id=clock.new_id(),
                person_id=person.id,
                role=OWNER.role,
                scope=plain_scope(OWNER.scope),
                fingerprint=fingerprint("grant", person.id, plain_grant(OWNER)),
                granted_by=MAKER,
                granted_at=now,
            )
    except IntegrityError:
        return "that address has an account already"
    await Trail().keep(record(person.id, address, now))
    return None


def record(person: UUID, address: str, now: datetime) -> Record:
    return Record(now, MAKER, person, "create-admin", address, DONE)
