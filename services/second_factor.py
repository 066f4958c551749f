"""A person's second factor: enrolled, confirmed with a code, proved, removed.

Only the person themselves: a key of theirs has their account behind it and no authenticator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import msgspec
from tortoise.transactions import in_transaction

from domain.access import Caller
from domain.lockout import Patience
from domain.refusals import Invalid, InvalidCredentials, LockedOut, NotFound, NotPermitted
from domain.second_factor import (
    DEVICE_LIFE,
    RECOVERY_CODES,
    RECOVERY_LENGTH,
    Kind,
    grouped,
    is_over,
    kind_of,
    open_steps,
    plain,
)
from infra.credentials import new_prefix, new_secret
from infra.identity_models import Person, RecoveryCode
from infra.identity_models import SecondFactor as FactorRow
from infra.totp import secret_of, step_found, uri_of
from services import lockout
from services.account import own
from services.runtime import Runtime
from services.seals import opened, sealed

WHAT = "second factor"
DEVICE = "trusted device"
NEVER = -1
Unproved = InvalidCredentials | LockedOut | NotFound | NotPermitted


@dataclass(frozen=True, slots=True)
class Proof:
    """A code, or the token of a trusted device."""

    code: str | None = field(default=None, repr=False)
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is told; shown until its first code has confirmed it."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Shown once."""

    codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    is_on: bool
    since: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class TrustedDevice:
    token: str = field(repr=False)
    expires_at: datetime


class Trusted(NamedTuple):
    """What a trusted device's token says. It dies with its second factor."""

    person: UUID
    factor: UUID
    until: int


DECODER = msgspec.msgpack.Decoder(Trusted)
OFF = SecondFactor(False, None, 0)


async def second_factor(caller: Caller) -> SecondFactor | NotPermitted:
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    row = await confirmed(person.id)
    if row is None:
        return OFF
    left = await RecoveryCode.filter(factor_id=row.id, used_at=None).count()
    return SecondFactor(True, row.confirmed_at, left)


async def enrol(
    rt: Runtime, caller: Caller, password: str | None
) -> Enrolment | Invalid | InvalidCredentials | LockedOut | NotPermitted:
    """Asked again before it is confirmed, the same. A session alone, which may be a stolen one,
    does not do: whoever has a password shows it."""
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    if person.must_change:
        return Invalid("password", "was set by somebody else: change it first")
    if person.password_hash is not None and (no := await not_theirs(rt, person, password)):
        return no
    now = rt.clock.now()
    fresh = FactorRow(
        id=rt.clock.new_id(),
        person_id=person.id,
        nonce=new_secret(),
        begun_at=now,
        last_step=NEVER,
    )
    async with in_transaction():
        await Person.filter(id=person.id).select_for_update()
        row = await FactorRow.get_or_none(person_id=person.id)
        if row is not None and row.confirmed_at is not None:
            return Invalid("secondFactor", "is on: remove it first")
        if row is not None and is_over(row.begun_at, now):
            await row.delete()
            row = None
        if row is None:
            await fresh.save(force_create=True)
    secret = secret_in(rt, row or fresh)
    return Enrolment(secret, uri_of(secret, person.email))


async def not_theirs(
    rt: Runtime, person: Person, password: str | None
) -> Invalid | InvalidCredentials | LockedOut | None:
    if password is None:
        return Invalid("password", "must be given: this account has one")
    keys = lockout.keys_of(person.email)
    if locked := await lockout.book(rt, keys):
        return locked
    if not await rt.passwords.is_right(person.password_hash, password):
        return InvalidCredentials()
    await lockout.forgive(keys)
    return None


async def confirm(rt: Runtime, caller: Caller, code: str) -> RecoveryCodes | Unproved:
    """The first code turns it on."""
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    row = await FactorRow.get_or_none(person_id=person.id, confirmed_at=None)
    now = rt.clock.now()
    if row is None or is_over(row.begun_at, now):
        return NotFound("enrolment", person.email)
    keys = keys_of(person.id)
    if locked := await lockout.book(rt, keys):
        return locked
    step = step_found(secret_in(rt, row), plain(code), open_steps(now, row.last_step))
    waiting = FactorRow.filter(id=row.id, confirmed_at=None)
    async with in_transaction():
        if step is None or not await waiting.update(confirmed_at=now, last_step=step):
            return InvalidCredentials()
        codes = await new_codes(rt, row.id)
    await lockout.forgive(keys)
    return codes


async def remove(rt: Runtime, caller: Caller, code: str) -> SecondFactor | Unproved:
    row = await proved_row(rt, caller, Proof(code))
    if not isinstance(row, FactorRow):
        return row
    await FactorRow.filter(id=row.id).delete()
    return OFF


async def renew_codes(rt: Runtime, caller: Caller, code: str) -> RecoveryCodes | Unproved:
    """New recovery codes; the former ones are good for nothing any more."""
    row = await proved_row(rt, caller, Proof(code))
    if not isinstance(row, FactorRow):
        return row
    async with in_transaction():
        if not await FactorRow.filter(id=row.id).select_for_update():
            return NotFound(WHAT, caller.subject)
        return await new_codes(rt, row.id)


async def trust_device(rt: Runtime, caller: Caller, code: str) -> TrustedDevice | Unproved:
    row = await proved_row(rt, caller, Proof(code))
    if not isinstance(row, FactorRow):
        return row
    until = (rt.clock.now() + DEVICE_LIFE).replace(microsecond=0)
    trusted = Trusted(row.person_id, row.id, int(until.timestamp()))
    return TrustedDevice(sealed(rt.settings.secret_key, DEVICE, trusted), until)


async def unproved(rt: Runtime, caller: Caller, proof: Proof) -> Unproved | None:
    """None: it is the person behind the caller, as their second factor says."""
    row = await proved_row(rt, caller, proof)
    return None if isinstance(row, FactorRow) else row


async def proved_row(rt: Runtime, caller: Caller, proof: Proof) -> FactorRow | Unproved:
    person = await own(caller)
    if isinstance(person, NotPermitted):
        return person
    row = await confirmed(person.id)
    if row is None:
        return NotFound(WHAT, person.email)
    if proof.code is None:
        return row if is_trusted(rt, row, proof.device or "") else InvalidCredentials()
    keys = keys_of(person.id)
    if locked := await lockout.book(rt, keys):
        return locked
    if not await is_taken(rt, row, plain(proof.code)):
        return InvalidCredentials()
    await lockout.forgive(keys)
    return row


async def is_taken(rt: Runtime, row: FactorRow, code: str) -> bool:
    """Whether the code is good; from then on it is not any more. Of two at once one is taken."""
    now = rt.clock.now()
    match kind_of(code):
        case Kind.ONE_TIME:
            step = step_found(secret_in(rt, row), code, open_steps(now, row.last_step))
            if step is None:
                return False
            unused = FactorRow.filter(id=row.id, last_step__lt=step)
            return bool(await unused.update(last_step=step))
        case Kind.RECOVERY:
            left = RecoveryCode.filter(factor_id=row.id, code_hash=hash_of(code), used_at=None)
            return bool(await left.update(used_at=now))
    return False


def is_trusted(rt: Runtime, row: FactorRow, token: str) -> bool:
    shown = opened(rt.settings.secret_key, DEVICE, token, DECODER)
    if shown is None or shown[:2] != (row.person_id, row.id):
        return False
    return rt.clock.now().timestamp() < shown.until


async def new_codes(rt: Runtime, factor: UUID) -> RecoveryCodes:
    """Within a transaction."""
    codes = [new_prefix(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]
    await RecoveryCode.filter(factor_id=factor).delete()
    await RecoveryCode.bulk_create(
        RecoveryCode(id=rt.clock.new_id(), factor_id=factor, code_hash=hash_of(code))
        for code in codes
    )
    return RecoveryCodes(tuple(map(grouped, codes)))


async def confirmed(person: UUID) -> FactorRow | None:
    return await FactorRow.get_or_none(person_id=person, confirmed_at__isnull=False)


def keys_of(person: UUID) -> Mapping[str, Patience]:
    """Apart from those of the password: who guesses codes does not keep the person out."""
    return lockout.keys_of(str(person), WHAT)


def secret_in(rt: Runtime, row: FactorRow) -> str:
    return secret_of(rt.settings.secret_key, row.person_id, row.nonce)


def hash_of(code: str) -> bytes:
    return sha256(code.encode("utf-8", "replace")).digest()
