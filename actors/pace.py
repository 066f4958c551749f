"""How fast an owner answers one process, and so how many requests may wait for it."""

WAIT_SECONDS = 0.25
"""Whoever would wait longer is told BUSY at once: the wait would only grow."""
LEAST = 1_024
"""May wait in any case: a burst of a thousand buyers is no flood."""
MOST = 20_000
"""May wait while nobody knows how fast the owner is: before it was busy, or while it is lost."""
WEIGHT = 0.1
"""Of the newest reading in the average."""


class Pace:
    """Measured from answer to answer while others wait: then the owner has no time to rest."""

    def __init__(self) -> None:
        self.limit = MOST
        self.answered = 0.0
        self.seconds = 0.0
        self.since: float | None = None

    def carried(self, answered: int, is_full: bool, now: float) -> None:
        """So many were answered. Only full calls with more behind them tell what the owner can do:
        the pace of others is that of the buyers who came."""
        if is_full and self.since is not None:
            weight = WEIGHT if self.seconds else 1.0
            self.answered += weight * (answered - self.answered)
            self.seconds += weight * (now - self.since - self.seconds)
        if self.seconds:
            soon = int(self.answered / self.seconds * WAIT_SECONDS)
            self.limit = min(max(soon, LEAST), MOST)
        self.since = now if is_full else None

    def lost(self) -> None:
        """The owner does not answer. What waits will be answered when another has taken over."""
        self.limit = MOST
        self.since = None
