"""Lock-out in the database: what was failed is known to all processes and survives their end. A
database that cannot be reached lets nobody in."""

from collections.abc import Mapping
from hashlib import blake2b

from tortoise.transactions import in_transaction

from domain.lockout import ACCOUNT, ADDRESS, Failures, Patience, booked, forgiven, neighbourhood
from domain.refusals import LockedOut
from infra.database import connection
from infra.identity_models import SignInFailure
from infra.logs import ORIGIN
from services.runtime import Runtime

KEY_BYTES = 24
CLEARED_AT_ONCE = 20
CLEAR = """
DELETE FROM sign_in_failure WHERE key IN (
  SELECT key FROM sign_in_failure WHERE last_at < $1 ORDER BY last_at LIMIT $2
  FOR UPDATE SKIP LOCKED)
"""


def keys_of(account: str, kind: str = "account") -> dict[str, Patience]:
    """What an attempt on this account is counted under: the account, and where it comes from."""
    keys = {key(kind, account): ACCOUNT}
    if origin := ORIGIN.get():
        keys[key("address", neighbourhood(origin))] = ADDRESS
    return keys


def key(kind: str, text: str) -> str:
    return blake2b(f"{kind}:{text}".encode("utf-8", "replace"), digest_size=KEY_BYTES).hexdigest()


async def book(rt: Runtime, keys: Mapping[str, Patience]) -> LockedOut | None:
    """Books a failure under all keys, before anything is looked at; or says how long to wait."""
    now = rt.clock.now()
    new = [SignInFailure(key=key, count=0, last_at=now) for key in sorted(keys)]
    async with in_transaction():
        await SignInFailure.bulk_create(new, ignore_conflicts=True)
        rows = await SignInFailure.filter(key__in=keys).order_by("key").select_for_update()
        answers = [booked(failures_of(row), keys[row.key], now) for row in rows]
        if locks := [answer for answer in answers if isinstance(answer, LockedOut)]:
            return max(locks, key=lambda lock: lock.until)
        for row, answer in zip(rows, answers, strict=True):
            assert isinstance(answer, Failures)
            await keep(row, answer)
    forgotten = now - max(patience.forgotten_after for patience in keys.values())
    await connection().execute_query(CLEAR, [forgotten, CLEARED_AT_ONCE])
    return None


async def forgive(keys: Mapping[str, Patience]) -> None:
    """It was right. The account is clear; an address only of this attempt: else a guesser who has
    an account of his own would wipe out his guesses."""
    async with in_transaction():
        for row in await SignInFailure.filter(key__in=keys).order_by("key").select_for_update():
            patience = keys[row.key]
            if patience is ACCOUNT:
                await row.delete()
            elif seen := failures_of(row):
                await keep(row, forgiven(seen, patience))


def failures_of(row: SignInFailure) -> Failures | None:
    return Failures(row.count, row.last_at, row.locked_until) if row.count else None


async def keep(row: SignInFailure, failures: Failures) -> None:
    row.count, row.last_at = failures.count, failures.last_at
    row.locked_until = failures.locked_until
    await row.save(update_fields=["count", "last_at", "locked_until"])
