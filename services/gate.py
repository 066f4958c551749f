"""Many at once, or one alone: for the step that cannot succeed while the others go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Who wants to be alone waits until those inside are out; newcomers wait for it meanwhile."""

    def __init__(self) -> None:
        self.entrance = asyncio.Lock()
        self.inside = 0
        self.empty = asyncio.Event()

    @asynccontextmanager
    async def among_others(self) -> AsyncIterator[None]:
        async with self.entrance:
            self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
            if not self.inside:
                self.empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self.entrance:
            while self.inside:
                self.empty.clear()
                await self.empty.wait()
            yield
