"""Clients that stop reading: they lose history, hold nobody back, and are let go in the end."""

import asyncio

import pytest

from api.graphql_ws import Patience
from domain.access import Role
from tests.api.shop import bearer
from tests.api.wire import Door, Talk, talk, until
from tests.infra.fakes import level

LIVE = {"query": "subscription { stockChanged { seq } }"}
ROLE = {"query": "{ warehouses { code } }"}
SHORT = 0.05
ADMIN = bearer(Role.ADMIN)


@pytest.fixture
def door() -> Door:
    return Door()


async def fill(door: Door, client: Talk) -> None:
    """A subscription whose client stops reading after the first answer."""
    await client.start(ADMIN)
    client.say("subscribe", id="1", payload=LIVE)
    door.engine.subscriber.put(level(1, 1), 0.0)
    assert (await client.hear())["payload"]["data"] == {"sku": "S1", "seq": 1}
    client.line.reads.clear()


async def test_a_slow_socket_misses_history_and_never_the_truth(door: Door) -> None:
    door.engine.follows_hub = True
    async with talk(door.app) as client:
        await fill(door, client)
        door.engine.subscriber.put(level(1, 2), 0.0)
        await until(lambda: door.engine.given == 2)
        for seq in range(3, 1_000):
            door.engine.subscriber.put(level(1, seq), 0.0)
        await asyncio.sleep(0)
        assert door.engine.given == 2
        client.line.reads.set()
        heard = [(await client.hear())["payload"]["data"]["seq"] for _ in range(2)]
        assert heard == [2, 999]


async def test_a_slow_socket_holds_nobody_back_and_is_closed_in_the_end() -> None:
    door = Door(Patience(for_sending=SHORT))
    async with talk(door.app) as slow, talk(door.app) as quick:
        door.engine.follows_hub = True
        await fill(door, slow)
        door.engine.subscriber.put(level(1, 2), 0.0)
        await until(lambda: door.engine.given == 2)
        await quick.start(ADMIN)
        quick.say("subscribe", id="1", payload=ROLE)
        assert (await quick.hear())["type"] == "next"
        await slow.line.over()
        assert door.engine.open == 0
        assert slow.line.outbound.empty()
