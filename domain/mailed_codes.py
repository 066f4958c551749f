"""Codes sent by mail, for who has no authenticator: each for one person and one request, good once
and for a short time, and not sent often."""

from collections.abc import Sequence
from datetime import datetime, timedelta

DIGITS = 8
"""Two more than an authenticator's: nobody takes one for the other."""
LIFE = timedelta(minutes=10)
TRIES = 5
"""Looks at one code; then it is good for nothing."""
PAUSE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AN_HOUR = 5
"""Codes that one person is sent within an hour."""


def sent_again_at(sent: Sequence[datetime], now: datetime) -> datetime | None:
    """When a person whose codes were sent at these moments may have another; None: now."""
    lately = sorted(at for at in sent if now < at + HOUR)
    waits = [at + PAUSE for at in lately[-1:]]
    if len(lately) >= AN_HOUR:
        waits.append(lately[-AN_HOUR] + HOUR)
    until = max(waits, default=now)
    return until if now < until else None


def masked(address: str) -> str:
    """a***@shop.example: enough to know one's own."""
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"
