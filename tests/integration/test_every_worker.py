"""Several API workers, one shop: a change that went in through one is seen by the watchers of all,
over WebSocket and over server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from domain.commands import CellKey
from tests.integration.api_workers import caller_per_worker, worker_of
from tests.integration.caller import Caller, labelled, new_code, new_id
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
UNITS = 50
RESERVATIONS = 5
WATCH_SECONDS = 60
PROTOCOL = "graphql-transport-ws"
CHANGES = """subscription ($skus: [String!]) {
  stockChanged(filter: { skus: $skus }) { sku { code } warehouse { code } available seq } }"""
Seen = tuple[CellKey, int]
"""A cell, and the seq at which it was shown."""
Next = Callable[[], Awaitable[Seen]]


def shown(answer: Any) -> Seen:
    level = answer["data"]["stockChanged"]
    return CellKey(level["sku"]["code"], level["warehouse"]["code"]), level["seq"]


@asynccontextmanager
async def websocket(caller: Caller, skus: list[str]) -> AsyncIterator[Next]:
    """A watcher over the connection that the caller has already."""
    async with caller.session.ws_connect(caller.url, protocols=(PROTOCOL,)) as socket:
        payload = {"query": CHANGES, "variables": {"skus": skus}}
        await socket.send_json({"type": "connection_init", "payload": caller.headers})
        assert (await socket.receive_json())["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})

        async def following() -> Seen:
            while True:
                message = await socket.receive_json()
                if message["type"] == "next":
                    return shown(message["payload"])
                assert message["type"] == "ping", message

        yield following


@asynccontextmanager
async def events(caller: Caller, skus: list[str]) -> AsyncIterator[Next]:
    body = {"query": CHANGES, "variables": {"skus": skus}}
    async with caller.session.post(
        caller.url,
        json=body,
        headers={"accept": "text/event-stream"},
        timeout=aiohttp.ClientTimeout(total=None),
    ) as response:
        assert response.content_type == "text/event-stream"

        async def following() -> Seen:
            async for line in response.content:
                if line.startswith(b"data: "):
                    return shown(json.loads(line[len(b"data: ") :]))
            raise AssertionError("the stream ended")

        yield following


@pytest.mark.parametrize("road", [websocket, events])
async def test_a_change_through_one_worker_is_seen_by_the_watchers_of_every_worker(
    shop: Whole, road: Any
) -> None:
    key = CellKey(new_code(), new_code())
    async with AsyncExitStack() as stack:
        askers = await stack.enter_async_context(caller_per_worker(shop))
        watchers = await stack.enter_async_context(caller_per_worker(shop))
        await askers[0].furnish({key: UNITS})
        watches = [await stack.enter_async_context(road(one, [key.sku])) for one in watchers]
        async with asyncio.timeout(WATCH_SECONDS):
            assert [await following() for following in watches] == [(key, 1)] * len(watches)
            watched = {await worker_of(asker): await subscribers(asker) for asker in askers}
            assert len(watched) == len(watchers)
            assert all(number >= 1 for number in watched.values()), watched
            for seq in range(2, 2 + RESERVATIONS):
                await askers[seq % len(askers)].reserve(new_id(), (*key, 1))
                assert [await following() for following in watches] == [(key, seq)] * len(watches)


async def subscribers(caller: Caller) -> float:
    (number,) = labelled(await caller.metrics(), "onhand_subscribers", "worker").values()
    return number


@pytest.mark.parametrize("road", [websocket, events])
async def test_every_watcher_of_many_cells_ends_with_the_newest_level_of_each(
    shop: Whole, road: Any
) -> None:
    """Newest wins: levels between may be left out, none comes twice or late."""
    warehouse = new_code()
    keys = [CellKey(new_code(), warehouse) for _ in range(10)]
    async with AsyncExitStack() as stack:
        askers = await stack.enter_async_context(caller_per_worker(shop))
        watchers = await stack.enter_async_context(caller_per_worker(shop))
        await askers[0].furnish(dict.fromkeys(keys, UNITS))
        skus = [key.sku for key in keys]
        watches = [await stack.enter_async_context(road(one, skus)) for one in watchers]
        last = dict.fromkeys(keys, 1 + RESERVATIONS)
        following = [asyncio.create_task(until_all(next, last)) for next in watches]
        buying = [
            askers[n % len(askers)].reserve(new_id(), (*key, 1))
            for n in range(RESERVATIONS)
            for key in keys
        ]
        await asyncio.gather(*buying)
        async with asyncio.timeout(WATCH_SECONDS):
            await asyncio.gather(*following)


async def until_all(following: Next, last: dict[CellKey, int]) -> None:
    """Until every cell was shown at its last seq; seq grows with every showing."""
    seen: dict[CellKey, int] = {}
    while seen != last:
        key, seq = await following()
        assert seq > seen.get(key, 0), (key, seq)
        seen[key] = seq
