"""Lock-out: who guesses wrongly too often waits, and each time twice as long.

An attempt is booked as a failure before the password is looked at, and struck out if it was right:
so a thousand guesses at once are no cheaper than one after the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from domain.refusals import LockedOut


@dataclass(frozen=True, slots=True)
class Patience:
    """`free` failures cost nothing; the next locks for `first`, each further one twice as long, up
    to `longest`. Failures are forgotten `forgotten_after` the last one."""

    free: int
    first: timedelta
    longest: timedelta
    forgotten_after: timedelta


ACCOUNT = Patience(5, timedelta(seconds=15), timedelta(hours=1), timedelta(days=1))
ADDRESS = Patience(50, timedelta(seconds=15), timedelta(minutes=15), timedelta(days=1))
"""More of them are free: a whole office may share one address."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Of one account or one address."""

    count: int
    last_at: datetime
    locked_until: datetime | None


def booked(seen: Failures | None, patience: Patience, now: datetime) -> Failures | LockedOut:
    """The failures with this attempt among them, or the refusal to even look."""
    if seen is not None and seen.locked_until is not None and now < seen.locked_until:
        return LockedOut(seen.locked_until)
    is_remembered = seen is not None and now < seen.last_at + patience.forgotten_after
    count = 1 + (seen.count if seen is not None and is_remembered else 0)
    if count <= patience.free:
        return Failures(count, now, None)
    return Failures(count, now, now + lock(count - patience.free, patience))


def lock(times: int, patience: Patience) -> timedelta:
    """`times` is 1 for the first lock."""
    doublings = min(times - 1, 32)
    return min(patience.first * (1 << doublings), patience.longest)


def forgiven(seen: Failures, patience: Patience) -> Failures:
    """One less: what was booked turned out to be right."""
    count = max(seen.count - 1, 0)
    return Failures(count, seen.last_at, seen.locked_until if count > patience.free else None)


def neighbourhood(address: str) -> str:
    """What counts as one address: of IPv6 the network that one customer gets."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or ip_network((known.packed, 64), strict=False))
    return str(known)
