"""People with accounts: who there is, inviting somebody, closing and opening an account, and
setting a password for somebody who has lost theirs.

Whoever does it to an account must hold all that the account holds: else an admin would become an
owner by setting an owner's password.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain.access import Caller, Grant, Permission
from domain.granting import covered
from domain.people import email_address
from domain.refusals import Conflict, Invalid, NotFound, NotPermitted, Refusal
from infra.identity_models import Person
from infra.models import NAME_LENGTH
from services.account import bad_password
from services.checks import bad_text, denied, fingerprint
from services.grants import HeldGrant, held_of
from services.newest import newest_first
from services.owners import is_last_owner
from services.pages import Page
from services.runtime import Runtime
from services.sessions import end

WHAT = "user"


@dataclass(frozen=True, slots=True)
class CreateUser:
    """Without a password the person signs in by OpenID Connect; one that is given is theirs to
    change before anything else."""

    id: UUID
    email: str
    name: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    email: str
    name: str
    is_active: bool
    has_password: bool
    must_change_password: bool
    created_by: str
    created_at: datetime
    grants: tuple[HeldGrant, ...]


async def users(
    rt: Runtime, caller: Caller, first: int, after: str | None
) -> Page[User] | NotPermitted:
    """The newest first."""
    if no := denied(caller, Permission.READ_USERS):
        return no
    return await newest_first(Person.all().prefetch_related("grants"), first, after, user_of)


async def create_user(rt: Runtime, caller: Caller, command: CreateUser) -> User | Refusal:
    if no := denied(caller, Permission.WRITE_USERS):
        return no
    address = email_address(command.email)
    if address is None:
        return Invalid("email", "is not an e-mail address")
    if bad := bad_text("name", command.name, NAME_LENGTH):
        return bad
    mark = fingerprint("user", address, command.name, command.password is None)
    if known := await made(command.id, mark):
        return known
    kept = None
    if command.password is not None:
        known_words = (address, command.name)
        if bad := await bad_password(rt, "password", command.password, *known_words):
            return bad
        kept = await rt.passwords.hashed(command.password)
    person = Person(
        id=command.id,
        email=address,
        name=command.name,
        password_hash=kept,
        must_change=kept is not None,
        fingerprint=mark,
        created_by=caller.subject,
        created_at=rt.clock.now(),
    )
    try:
        await person.save(force_create=True)
    except IntegrityError:
        return await made(command.id, mark) or Invalid("email", "has an account already")
    return await existing(command.id)


async def made(id: UUID, mark: int) -> User | Conflict | None:
    """What became of this id before."""
    row = await Person.get_or_none(id=id).prefetch_related("grants")
    if row is None:
        return None
    return user_of(row) if row.fingerprint == mark else Conflict(id)


async def set_active(rt: Runtime, caller: Caller, person: UUID, is_active: bool) -> User | Refusal:
    """A closed account signs nobody in, and its sessions and keys are good for nothing."""
    target = await touchable(caller, person)
    if not isinstance(target, User):
        return target
    async with in_transaction():
        if not is_active and await is_last_owner(person):
            return Invalid("userId", "is the last owner of the shop")
        await Person.filter(id=person).update(is_active=is_active)
        if not is_active:
            await end(rt, person)
    return await existing(person)


async def set_password(rt: Runtime, caller: Caller, person: UUID, password: str) -> User | Refusal:
    """For somebody else, who changes it before anything else. Ends their sessions."""
    target = await settable(rt, caller, person, password)
    if not isinstance(target, User):
        return target
    kept = await rt.passwords.hashed(password)
    async with in_transaction():
        await Person.filter(id=person).update(password_hash=kept, must_change=True)
        await end(rt, person)
    return await existing(person)


async def settable(rt: Runtime, caller: Caller, person: UUID, password: str) -> User | Refusal:
    """The account, for a caller who may set this password for it."""
    target = await touchable(caller, person)
    if not isinstance(target, User):
        return target
    if caller.person == person:
        return Invalid("userId", "is your own account: use changePassword")
    bad = await bad_password(rt, "password", password, target.email, target.name)
    return bad or target


async def touchable(caller: Caller, person: UUID) -> User | NotPermitted | NotFound:
    """The account, for a caller who holds all that it holds."""
    if no := denied(caller, Permission.WRITE_USERS):
        return no
    user = await stored(person)
    if user is None:
        return NotFound(WHAT, str(person))
    return beyond(caller, [held.grant for held in user.grants]) or user


def beyond(caller: Caller, grants: list[Grant]) -> NotPermitted | None:
    """Names the first role that goes beyond what the caller has."""
    within = covered(caller.grants, grants)
    more = [grant for grant in grants if grant not in within]
    return NotPermitted(f"grant:{more[0].role}") if more else None


async def stored(id: UUID) -> User | None:
    row = await Person.get_or_none(id=id).prefetch_related("grants")
    return None if row is None else user_of(row)


async def existing(id: UUID) -> User:
    user = await stored(id)
    assert user is not None, "an account is never deleted"
    return user


def user_of(row: Person) -> User:
    return User(
        row.id,
        row.email,
        row.name,
        row.is_active,
        row.password_hash is not None,
        row.must_change,
        row.created_by,
        row.created_at,
        held_of(row.grants),
    )
