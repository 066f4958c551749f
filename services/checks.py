"""Checks of what callers send, before it goes anywhere: each names the field that is wrong."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from domain.access import Caller, Permission
from domain.refusals import Invalid, NotPermitted

ENCODER = msgspec.json.Encoder()


def denied(caller: Caller, permission: Permission) -> NotPermitted | None:
    """Unless the caller may everywhere."""
    return None if caller.may(permission) else NotPermitted(permission)


def barred(caller: Caller, permission: Permission) -> NotPermitted | None:
    """Unless the caller may for a part of the stock at least: the use case looks which."""
    return None if caller.may_somewhere(permission) else NotPermitted(permission)


def bad_text(field: str, value: str | None, limit: int) -> Invalid | None:
    """None is fine; text must not be empty, too long or hold characters that are not printable."""
    if value is None:
        return None
    if not value.strip():
        return Invalid(field, "must not be empty")
    if len(value) > limit:
        return Invalid(field, f"must have at most {limit} characters")
    if not value.isprintable() and any(ord(c) < 32 and c not in "\n\t" for c in value):
        return Invalid(field, "must not hold control characters")
    if not is_storable(value, limit):
        return Invalid(field, "is not valid Unicode")
    return None


def is_storable(value: str, limit: int) -> bool:
    """Whether a text column of `limit` characters can hold it: only then can it be looked for. The
    database takes neither NUL nor half of a surrogate pair."""
    try:
        return len(value) <= limit and b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def instant(text: str) -> datetime:
    """In UTC. Raises ValueError, also for what has no offset or lies outside the years that there
    are once it is in UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("needs an offset from UTC")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None


def fingerprint(verb: str, *content: Any) -> int:
    """64 bits, signed: the same for the same content, in every process."""
    digest = blake2b(ENCODER.encode((verb, content)), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
