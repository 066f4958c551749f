"""Attempts to get around what protects the shop, one line of the log each: who came with no good
token, went beyond a limit or a rate, asked what is not known here, came from a foreign page.

What was sent is not told. A flood cannot fill the disk: beyond so many lines in a second the rest
is counted, and the count is told.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from contextvars import Context
from dataclasses import fields

from infra.limits import Limits
from infra.logs import ORIGIN

LOG = logging.getLogger("onhand.turned_away")
LINES_PER_WINDOW = 20
WINDOW_SECONDS = 1.0

NO_TOKEN = "UNAUTHENTICATED"
BAD_TOKEN = "CREDENTIALS_REFUSED"
"""A token was shown, and is not good (any more)."""
WATCHED = frozenset(
    {
        NO_TOKEN,
        BAD_TOKEN,
        "ORIGIN_NOT_ALLOWED",
        "DOCUMENT_NOT_ALLOWED",
        "PERSISTED_QUERY_NOT_FOUND",
        "METHOD_NOT_ALLOWED",
        "UNSUPPORTED_MEDIA_TYPE",
        *(limit.name.upper() for limit in fields(Limits)),
    }
)
"""Codes of answers. What somebody may not do is in the trail; what is mistyped is nobody's attack
and counted in the metrics, as these are too."""


class Attempts:
    """Of one process; used on its event loop."""

    def __init__(
        self, lines: int = LINES_PER_WINDOW, window_seconds: float = WINDOW_SECONDS
    ) -> None:
        self.lines = lines
        self.window_seconds = window_seconds
        self.until = 0.0
        self.told = 0
        self.left_out: Counter[str] = Counter()

    def note(self, codes: Iterable[str], caller: str | None) -> None:
        """Those of these codes that are watched. `caller` is None where nobody knows who it was."""
        for code in codes:
            if code in WATCHED:
                self.tell(code, caller)

    def tell(self, what: str, caller: str | None) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if now >= self.until:
            self.until, self.told = now + self.window_seconds, 0
        if self.told < self.lines:
            self.told += 1
            said = {"what": what, "caller": caller, "address": ORIGIN.get()}
            LOG.warning("turned away", extra=said)
            return
        if not self.left_out:
            loop.call_at(self.until, self.tell_left_out, context=Context())
        self.left_out[what] += 1

    def tell_left_out(self) -> None:
        left_out, self.left_out = self.left_out, Counter()
        LOG.warning("turned away, not told one by one", extra={"leftOut": dict(left_out)})
