"""Who is being written to, and since when. One look at all of them now and then finds those that
take nothing: a timer for each message costs as much as sending it."""

import asyncio
from collections.abc import Callable

LOOKS = 4
"""Within the patience for a message."""


class Sending:
    """`since` holds how to end a connection that is being written to and when that began, the
    longest first."""

    def __init__(self, patience_seconds: float) -> None:
        self.patience_seconds = patience_seconds
        self.since: dict[Callable[[], None], float] = {}
        self.open = 0
        self.looking: asyncio.Task[None] | None = None

    def came(self) -> None:
        """One connection more; somebody looks as long as there is any."""
        self.open += 1
        if self.looking is None:
            self.looking = asyncio.create_task(self.look())

    def went(self) -> None:
        self.open -= 1
        if not self.open and self.looking is not None:
            self.looking.cancel()
            self.looking = None

    def begin(self, end: Callable[[], None]) -> None:
        self.since[end] = asyncio.get_running_loop().time()

    def done(self, end: Callable[[], None]) -> None:
        del self.since[end]

    async def look(self) -> None:
        while True:
            await asyncio.sleep(self.patience_seconds / LOOKS)
            late = asyncio.get_running_loop().time() - self.patience_seconds
            for end in [end for end, since in self.since.items() if since < late]:
                end()
