"""Work done several pieces at a time: begun in order, never more than the limit under way."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def abreast(limit: int, work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """The first failure ends all of it. `work` should make its coroutines lazily."""
    waiting = iter(work)

    async def worker() -> None:
        for piece in waiting:
            await piece

    workers = [asyncio.ensure_future(worker()) for _ in range(limit)]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
