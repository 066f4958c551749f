"""One caller per API worker, so that a test can choose who is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.integration.caller import PATIENCE_SECONDS, Caller, labelled
from tests.integration.whole import Whole

SUBSCRIBERS = "onhand_subscribers"


async def worker_of(caller: Caller) -> str:
    """Whoever shows the page; a caller with one connection stays with that worker."""
    (worker,) = labelled(await caller.metrics(), SUBSCRIBERS, "worker")
    return worker


@asynccontextmanager
async def caller_per_worker(shop: Whole, workers: int = 2) -> AsyncIterator[list[Caller]]:
    """The kernel chooses who takes a new connection: it is asked again until all have one."""
    found: dict[str, Caller] = {}
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_SECONDS):
        while len(found) < workers:
            caller = await stack.enter_async_context(Caller(shop, connections=1))
            found.setdefault(await worker_of(caller), caller)
        yield list(found.values())
