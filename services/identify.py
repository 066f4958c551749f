"""From a session's token or an API key to its caller, as the database knows them at this moment.

A person whose password was set by somebody else may do nothing until it is changed. A key has what
it was given, less what its maker has no longer.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.access import Caller, Grant
from domain.api_keys import USE_KEPT_EVERY, hash_of, prefix_of
from domain.granting import covered
from infra.database import LOST, connection
from infra.identity_models import ApiKey
from infra.outage import Outage
from services.grants import grant_of
from services.runtime import Runtime
from services.session_tokens import read_access_token

GRANTS = """
(SELECT coalesce(json_agg(json_build_object('role', g.role, 'scope', g.scope) ORDER BY g.id), '[]')
  FROM person_grant g WHERE g.person_id = p.id AND g.ended_at IS NULL)::text AS grants
"""
BY_FAMILY = f"""
SELECT p.id, p.email, p.must_change, {GRANTS}
FROM session_family f JOIN person p ON p.id = f.person_id
WHERE f.id = $1 AND p.id = $2 AND p.is_active AND f.ended_at IS NULL AND f.expires_at > $3
"""
KEY = f"""
SELECT k.id AS key_id, k.grants::text AS key_grants, k.last_used_at, p.id, {GRANTS}
FROM api_key k JOIN person p ON p.id = k.maker_id
WHERE p.is_active AND NOT p.must_change AND k.revoked_at IS NULL
AND (k.expires_at IS NULL OR k.expires_at > $1)
"""
BY_ID = f"{KEY} AND k.id = $2"
BY_SECRET = f"""{KEY} AND k.id = (
  SELECT id FROM api_key WHERE prefix = $2 AND key_hash = $3
  UNION ALL
  SELECT id FROM api_key WHERE previous_prefix = $2 AND previous_hash = $3 AND previous_until > $1)
"""
SUBJECT = "key:"
GIVEN = msgspec.json.Decoder(list[dict[str, Any]])


async def identify(rt: Runtime, token: str) -> Caller | None:
    """None where it is not good, or not any more; raises Outage when that cannot be said."""
    now = rt.clock.now()
    try:
        if prefix := prefix_of(token):
            return await of_key(prefix, token, now)
        signed = read_access_token(rt.settings.secret_key, token, now)
        return await of_session(signed.family, signed.person, now) if signed else None
    except LOST as error:
        raise Outage("the database cannot be reached: ask again") from error


async def of_session(family: UUID, person: UUID, now: datetime) -> Caller | None:
    _, rows = await connection().execute_query(BY_FAMILY, [family, person, now])
    if not rows:
        return None
    grants = () if rows[0]["must_change"] else grants_in(rows[0]["grants"])
    return Caller(rows[0]["email"], grants, rows[0]["id"])


async def of_key(prefix: str, key: str, now: datetime) -> Caller | None:
    _, rows = await connection().execute_query(BY_SECRET, [now, prefix, hash_of(key)])
    if not rows:
        return None
    row = rows[0]
    if row["last_used_at"] is None or row["last_used_at"] + USE_KEPT_EVERY <= now:
        await ApiKey.filter(id=row["key_id"]).update(last_used_at=now)
    return holder_of(row)


async def caller_of_key(key_id: UUID, now: datetime) -> Caller | None:
    """Of a key that is known by its id only, as long as it is good."""
    _, rows = await connection().execute_query(BY_ID, [now, key_id])
    return holder_of(rows[0]) if rows else None


def holder_of(row: Any) -> Caller:
    grants = covered(grants_in(row["grants"]), grants_in(row["key_grants"]))
    return Caller(key_subject(row["key_id"]), grants, row["id"])


def key_subject(key_id: UUID) -> str:
    """Stays the same when the key is rotated: what it reserved stays its own."""
    return f"{SUBJECT}{key_id}"


def key_in(subject: str) -> UUID | None:
    """The key behind a subject; None: it is none. No address of a person begins like one."""
    return UUID(subject.removeprefix(SUBJECT)) if subject.startswith(SUBJECT) else None


def is_in_person(caller: Caller) -> bool:
    """Signed in, and no key of that person; development tokens stand for machines."""
    return caller.person is not None and key_in(caller.subject) is None


def grants_in(text: str) -> tuple[Grant, ...]:
    return tuple(map(grant_of, GIVEN.decode(text)))


STRANGER = Caller("stranger", ())
"""Who shows nothing, and may do nothing but sign in."""
