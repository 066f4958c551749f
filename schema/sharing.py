"""One execution for many: an answer made a moment ago is given to all who ask the same of it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

SHARED_SECONDS = 0.5  # time in which an answer is shared; what is nested in it may age by as much
SHARED_ANSWERS = 20_000  # remembered at most; then they are forgotten early
T = TypeVar("T")


class Shared(Generic[T]):
    """Remembers answers in two generations. The younger becomes the older after SHARED_SECONDS, and
    the older is dropped, so forgetting costs nothing per answer."""

    def __init__(self) -> None:
        self.young: dict[Hashable, T] = {}
        self.old: dict[Hashable, T] = {}
        self.turned_at = 0.0

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` makes, unless it was made before. Who asks while it is being made makes it
        too: that is rare, as most answers are made without waiting."""
        self.turn()
        known = self.young.get(key) or self.old.get(key)
        if known is not None:
            return known
        made = self.young[key] = await make()
        return made

    def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        age = now - self.turned_at
        if age > SHARED_SECONDS or len(self.young) >= SHARED_ANSWERS // 2:
            self.old = self.young if age <= 2 * SHARED_SECONDS else {}
            self.young, self.turned_at = {}, now
