"""API keys: made, rotated, revoked and listed. A key is shown in the first answer and never again;
it has no more than its maker, who is a person."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domain.access import Caller, Grant, Permission
from domain.api_keys import LONGEST_OVERLAP, PREFIX_LENGTH, hash_of, key_text
from domain.refusals import Conflict, Invalid, NotFound, NotPermitted, Refusal
from infra.credentials import new_prefix, new_secret
from infra.identity_models import ApiKey as KeyRow
from infra.models import NAME_LENGTH
from infra.outage import Outage
from services.checks import bad_text, denied, fingerprint
from services.grants import GRANTS_LIMIT, bad_scope, grant_of, plain_grant
from services.newest import newest_first
from services.pages import Page
from services.people import beyond
from services.runtime import Runtime

WHAT = "API key"


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    id: UUID
    name: str
    grants: tuple[Grant, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RotateApiKey:
    """`id` is the request's. For `overlap` the key as it was is good as well."""

    id: UUID
    key: UUID
    overlap: timedelta


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`previous_*`: of the key as it was before its last rotation, while that is good as well."""

    id: UUID
    name: str
    prefix: str
    grants: tuple[Grant, ...]
    maker: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    previous_prefix: str | None
    previous_until: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """`secret` is the key itself; None where it was shown before."""

    api_key: ApiKey
    secret: str | None = field(repr=False)


async def api_keys(
    rt: Runtime, caller: Caller, first: int, after: str | None
) -> Page[ApiKey] | NotPermitted:
    """The newest first, revoked ones too."""
    if no := denied(caller, Permission.READ_KEYS):
        return no
    return await newest_first(KeyRow.all().select_related("maker"), first, after, key_of)


async def create_key(rt: Runtime, caller: Caller, command: CreateApiKey) -> Issued | Refusal:
    if no := bad_key(rt, caller, command):
        return no
    assert caller.person is not None
    plain = [plain_grant(grant) for grant in command.grants]
    mark = fingerprint("API key", command.name, plain, command.expires_at, caller.person)
    if known := await made(command.id, mark):
        return known
    prefix = new_prefix(PREFIX_LENGTH)
    secret = key_text(prefix, new_secret())
    row = KeyRow(
        id=command.id,
        maker_id=caller.person,
        name=command.name,
        prefix=prefix,
        key_hash=hash_of(secret),
        grants=plain,
        fingerprint=mark,
        created_at=rt.clock.now(),
        expires_at=command.expires_at,
    )
    try:
        await row.save(force_create=True)
    except IntegrityError:
        if known := await made(command.id, mark):
            return known
        raise Outage("the prefix of another key was drawn") from None
    return Issued(await existing(command.id), secret)


def bad_key(rt: Runtime, caller: Caller, command: CreateApiKey) -> NotPermitted | Invalid | None:
    if no := denied(caller, Permission.WRITE_KEYS) or bad_content(rt, command):
        return no
    if no := beyond(caller, list(command.grants)):
        return no
    if caller.person is None:
        return Invalid("id", "a development token makes no keys: sign in as a person")
    return None


async def made(id: UUID, mark: int) -> Issued | Conflict | None:
    """What became of this id before."""
    row = await KeyRow.get_or_none(id=id).select_related("maker")
    if row is None:
        return None
    return Issued(key_of(row), None) if row.fingerprint == mark else Conflict(id)


async def rotate_key(rt: Runtime, caller: Caller, command: RotateApiKey) -> Issued | Refusal:
    """The key keeps its name, its grants and whatever it has reserved. Only its maker: whoever else
    got its secret would act in the maker's name."""
    row = await changeable(caller, command.key)
    if not isinstance(row, KeyRow):
        return row
    if row.maker_id != caller.person:
        return Invalid("keyId", "is somebody else's: they rotate it, or it is revoked")
    if not timedelta(0) <= command.overlap <= LONGEST_OVERLAP:
        longest = LONGEST_OVERLAP // timedelta(seconds=1)
        return Invalid("overlapSeconds", f"must be between 0 and {longest}")
    if row.last_rotation == command.id:
        return Issued(key_of(row), None)
    now = rt.clock.now()
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return Invalid("keyId", "is revoked or has expired: make another")
    prefix = new_prefix(PREFIX_LENGTH)
    secret = key_text(prefix, new_secret())
    unchanged = KeyRow.filter(id=row.id, prefix=row.prefix, revoked_at=None)
    is_rotated = await unchanged.update(
        prefix=prefix,
        key_hash=hash_of(secret),
        previous_prefix=row.prefix,
        previous_hash=row.key_hash,
        previous_until=now + command.overlap,
        last_rotation=command.id,
    )
    if not is_rotated:
        raise Outage("somebody else changed the key at this moment: ask again", "BUSY")
    return Issued(await existing(row.id), secret)


async def revoke_key(rt: Runtime, caller: Caller, key_id: UUID) -> ApiKey | Refusal:
    """It dies within seconds, with the key it was before a rotation."""
    row = await changeable(caller, key_id)
    if not isinstance(row, KeyRow):
        return row
    alive = KeyRow.filter(id=key_id, revoked_at=None)
    await alive.update(revoked_at=rt.clock.now(), revoked_by=caller.subject)
    return await existing(key_id)


async def changeable(caller: Caller, key_id: UUID) -> KeyRow | NotPermitted | NotFound:
    """The key, for a caller who might have made it."""
    if no := denied(caller, Permission.WRITE_KEYS):
        return no
    row = await KeyRow.get_or_none(id=key_id).select_related("maker")
    if row is None:
        return NotFound(WHAT, str(key_id))
    return beyond(caller, list(key_of(row).grants)) or row


def bad_content(rt: Runtime, command: CreateApiKey) -> Invalid | None:
    if bad := bad_text("name", command.name, NAME_LENGTH):
        return bad
    if not 1 <= len(command.grants) <= GRANTS_LIMIT:
        return Invalid("grants", f"must be 1 to {GRANTS_LIMIT}")
    if command.expires_at is not None and command.expires_at <= rt.clock.now():
        return Invalid("expiresAt", "must lie in the future")
    for number, grant in enumerate(command.grants):
        if bad := bad_scope(f"grants.{number}.scope", grant.scope):
            return bad
    return None


async def existing(id: UUID) -> ApiKey:
    return key_of(await KeyRow.get(id=id).select_related("maker"))


def key_of(row: KeyRow) -> ApiKey:
    return ApiKey(
        row.id,
        row.name,
        row.prefix,
        tuple(map(grant_of, row.grants)),
        row.maker.email,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.previous_prefix,
        row.previous_until,
    )
