"""A screen that watches some cells while servers are stopped: it subscribes again when it was let
go, and remembers whether seq ever went back."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import aiohttp

from domain.commands import CellKey
from tests.integration.caller import Caller

PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 90.0
PROTOCOL = "graphql-transport-ws"
CHANGES = """subscription ($skus: [String!]) {
  stockChanged(filter: { skus: $skus }) { sku { code } warehouse { code } available seq } }"""


class Screen:
    """`seen` is the newest seq of each cell, `back` those that came after a newer one."""

    def __init__(self, caller: Caller, keys: Iterable[CellKey]) -> None:
        self.caller = caller
        self.skus = sorted({key.sku for key in keys})
        self.seen: dict[CellKey, int] = {}
        self.back: list[tuple[CellKey, int, int]] = []
        self.subscriptions = 0
        self.changed = asyncio.Condition()

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self.subscribe()
            await asyncio.sleep(PAUSE_SECONDS)

    async def subscribe(self) -> None:
        """Until the server ends it."""
        async with self.caller.session.ws_connect(self.caller.url, protocols=(PROTOCOL,)) as socket:
            self.subscriptions += 1
            await socket.send_json({"type": "connection_init", "payload": self.caller.headers})
            payload = {"query": CHANGES, "variables": {"skus": self.skus}}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            async for message in socket:
                told = message.json()
                if told["type"] == "next":
                    await self.show(told["payload"]["data"]["stockChanged"])
                elif told["type"] in ("error", "complete"):
                    return

    async def show(self, level: dict[str, dict[str, str]]) -> None:
        key = CellKey(level["sku"]["code"], level["warehouse"]["code"])
        seq = int(str(level["seq"]))
        newest = self.seen.get(key, 0)
        if seq < newest:
            self.back.append((key, newest, seq))
        async with self.changed:
            self.seen[key] = max(seq, newest)
            self.changed.notify_all()

    async def until(self, last: Mapping[CellKey, int]) -> None:
        """Until it shows every cell as it is."""
        async with self.changed, asyncio.timeout(PATIENCE_SECONDS):
            await self.changed.wait_for(lambda: self.seen == last)


@asynccontextmanager
async def screen(caller: Caller, keys: Iterable[CellKey]) -> AsyncIterator[Screen]:
    made = Screen(caller, keys)
    watching = asyncio.create_task(made.watch())
    try:
        yield made
    finally:
        watching.cancel()
        await asyncio.wait({watching})
