"""Subjects of the bus: stock.changed.<warehouse>.<sku>, safe whatever a code contains."""

from functools import lru_cache
from urllib.parse import quote

CHANGED = "stock.changed"
TOKENS = 65_536
"""Codes whose token is remembered."""


@lru_cache(TOKENS)
def token(code: str) -> str:
    """One token of a subject: no dot, star, angle bracket or space is left, and never empty."""
    return quote(code, safe="").replace(".", "%2E") or "%"


def changed(sku: str, warehouse: str) -> str:
    return f"{CHANGED}.{token(warehouse)}.{token(sku)}"


def consumer_seq(reply: str) -> int:
    """Of `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`,
    or of the longer form, which has domain and account after ACK."""
    parts = reply.split(".")
    return int(parts[6] if len(parts) == 9 else parts[8])
