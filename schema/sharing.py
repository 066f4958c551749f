"""One execution for many: an answer made a moment ago is given to all who ask the same of it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

SHARED_SECONDS = 0.5  # an answer is shared for three times as long at most, and so old may be what
# is nested in it
SHARED_ANSWERS = 20_000  # remembered at most; then they are forgotten early
T = TypeVar("T")


class Latest(Generic[T]):
    """The event that was answered last in one subscription that many hold, and its answer: who is
    given the same event is known by it, and nothing has to be compared."""

    __slots__ = ("__weakref__", "answer", "at", "event", "key", "shared")

    def __init__(self, shared: "Shared[T]", key: Hashable) -> None:
        self.shared = shared
        self.key = key
        self.event: object = None
        self.answer: T | None = None
        self.at = 0.0

    def of(self, event: object) -> T | None:
        """None for another event, and when it was answered too long ago."""
        if event is not self.event:
            return None
        is_young = asyncio.get_running_loop().time() - self.at <= SHARED_SECONDS
        return self.answer if is_young else None

    async def once(self, event: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """As `Shared.once`: an equal event may have been answered."""
        answer = await self.shared.once((self.key, event), make)
        self.event, self.answer, self.at = event, answer, asyncio.get_running_loop().time()
        return answer


class Shared(Generic[T]):
    """Remembers answers in two generations. The younger becomes the older after SHARED_SECONDS, and
    the older is dropped, so forgetting costs nothing per answer."""

    def __init__(self) -> None:
        self.young: dict[Hashable, T] = {}
        self.old: dict[Hashable, T] = {}
        self.turned_at = 0.0
        self.latest: WeakValueDictionary[Hashable, Latest[T]] = WeakValueDictionary()

    def subscription(self, key: Hashable) -> Latest[T]:
        """The same for all who hold an equal subscription, for as long as one holds it."""
        found = self.latest.get(key)
        if found is None:
            found = self.latest[key] = Latest(self, key)
        return found

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
