"""Signing in with a password, and the life of a session: refreshed, ended, ended everywhere."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.transactions import in_transaction

from domain.people import email_address
from domain.refusals import InvalidCredentials, LockedOut
from domain.sessions import Family, Turn, expiry, turn
from infra.credentials import new_secret
from infra.identity_models import Person, SessionFamily
from infra.outage import Outage
from services import lockout
from services.runtime import Runtime
from services.session_tokens import (
    Shown,
    Signed,
    access_token,
    hash_of,
    next_nonce,
    read_refresh_token,
    refresh_token,
)

KEPT_AFTER = timedelta(days=30)
"""Families that ran out are kept for so long, and go when their person signs in again."""
TRIES = 3
"""Of a refresh that others get in the way of: one of them has its answer then."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignIn:
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refresh:
    """`id` is the request's: the same again within a minute gets the same answer."""

    id: UUID
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """`must_change_password`: until then nothing else is allowed."""

    person: UUID
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)
    refresh_expires_at: datetime
    must_change_password: bool


async def sign_in(rt: Runtime, command: SignIn) -> Session | InvalidCredentials | LockedOut:
    """The same work and answer whether there is no such account or the password is wrong."""
    address = email_address(command.email)
    keys = lockout.keys_of(address or command.email)
    if locked := await lockout.book(rt, keys):
        return locked
    person = await Person.get_or_none(email=address, is_active=True) if address else None
    kept = person.password_hash if person else None
    if not await rt.passwords.is_right(kept, command.password) or person is None:
        return InvalidCredentials()
    await lockout.forgive(keys)
    if kept is not None and rt.passwords.is_outdated(kept):
        person.password_hash = await rt.passwords.hashed(command.password)
        renewed = Person.filter(id=person.id, password_hash=kept)
        if not await renewed.update(password_hash=person.password_hash):
            return InvalidCredentials()
    return await begun(rt, person) or InvalidCredentials()


async def begun(rt: Runtime, person: Person) -> Session | None:
    """A new family; None where the account was closed or its password changed since it was read."""
    now = rt.clock.now()
    shown = Shown(rt.clock.new_id(), 1, new_secret().encode())
    token = refresh_token(rt.settings.secret_key, shown)
    family = SessionFamily(
        id=shown.family,
        person_id=person.id,
        generation=1,
        token_hash=hash_of(token),
        began_at=now,
        rotated_at=now,
        expires_at=expiry(now, now),
    )
    same = Person.filter(id=person.id, password_hash=person.password_hash, is_active=True)
    forgotten = SessionFamily.filter(person_id=person.id, expires_at__lt=now - KEPT_AFTER)
    async with in_transaction():
        if not await same.select_for_update():
            return None
        await forgotten.delete()
        await family.save(force_create=True)
    return session(rt, family, token, person.must_change)


async def refresh(rt: Runtime, command: Refresh) -> Session | InvalidCredentials:
    secret = rt.settings.secret_key
    shown = read_refresh_token(secret, command.token)
    if shown is None:
        return InvalidCredentials()
    nonce = next_nonce(secret, command.token, command.id)
    token = refresh_token(secret, Shown(shown.family, shown.generation + 1, nonce))
    for _ in range(TRIES):
        row = await SessionFamily.get_or_none(id=shown.family).select_related("person")
        if row is None or not row.person.is_active:
            return InvalidCredentials()
        now = rt.clock.now()
        match turn(family_of(row), hash_of(command.token), command.id, now):
            case Turn.OVER:
                return InvalidCredentials()
            case Turn.REUSED:
                await end(rt, row.person_id, family=row.id)
                log.warning("a refresh token was used twice", extra={"family": str(row.id)})
                return InvalidCredentials()
            case Turn.REPEAT:
                return session(rt, row, token, row.person.must_change)
            case Turn.ROTATE if await rotated(row, hash_of(token), command.id, now):
                return session(rt, row, token, row.person.must_change)
    raise Outage("the same session is refreshed by others at this moment", "BUSY")


async def rotated(row: SessionFamily, token_hash: bytes, request_id: UUID, now: datetime) -> bool:
    """False where another was quicker."""
    before = SessionFamily.filter(id=row.id, token_hash=row.token_hash, ended_at=None)
    row.previous_hash, row.token_hash = row.token_hash, token_hash
    row.generation += 1
    row.last_request, row.rotated_at = request_id, now
    row.expires_at = expiry(row.began_at, now)
    names = (
        "generation",
        "token_hash",
        "previous_hash",
        "last_request",
        "rotated_at",
        "expires_at",
    )
    return await before.update(**{name: getattr(row, name) for name in names}) == 1


async def end(
    rt: Runtime, person: UUID, family: UUID | None = None, but: UUID | None = None
) -> int:
    """Ends one family of the person, or all but one; how many were alive."""
    now = rt.clock.now()
    alive = SessionFamily.filter(person_id=person, ended_at=None, expires_at__gt=now)
    if family is not None:
        alive = alive.filter(id=family)
    if but is not None:
        alive = alive.exclude(id=but)
    return await alive.update(ended_at=now)


def session(rt: Runtime, row: SessionFamily, token: str, must_change: bool) -> Session:
    """Of the same rotation always the same."""
    signed = Signed(row.person_id, row.id)
    access, ends_at = access_token(rt.settings.secret_key, signed, row.rotated_at)
    return Session(row.person_id, access, ends_at, token, row.expires_at, must_change)


def family_of(row: SessionFamily) -> Family:
    return Family(
        row.id,
        row.person_id,
        row.generation,
        row.token_hash,
        row.previous_hash,
        row.last_request,
        row.began_at,
        row.rotated_at,
        row.expires_at,
        row.ended_at,
    )
