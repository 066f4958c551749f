"""The bus on a real NATS: all arrives, in order, and a gap is said to be one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.js.errors import ServerError

from infra.bus import CHUNK, HEARTBEAT_SECONDS, SILENCE_SECONDS, STREAM, Bus, BusDown
from infra.embedded.nats import Nats
from infra.embedded.places import prepare
from infra.levels import CellLevel
from infra.subjects import changed
from tests.infra.fakes import NOON, level

PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    nats = Nats(prepare(tmp_path_factory.mktemp("home")))
    nats.start()
    yield nats
    nats.stop()


@pytest.fixture
async def url(server: Nats) -> str:
    if not server.is_alive():
        await asyncio.to_thread(server.start)
    return f"nats://onhand:{server.password}@127.0.0.1:{server.port}"


@pytest.fixture
async def bus(url: str) -> AsyncIterator[Bus]:
    opened = await Bus.connect(url)
    await opened.prepare()
    await opened.stream.delete_stream(STREAM)
    await made(opened)
    yield opened
    await opened.close()


async def made(bus: Bus) -> None:
    """The server may still be clearing away the stream of that name."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(ServerError):
                await bus.prepare()
                return
            await asyncio.sleep(0.01)


class Ear:
    """What one follower has heard."""

    def __init__(self) -> None:
        self.heard: list[CellLevel] = []
        self.gaps = 0
        self.something = asyncio.Condition()

    def hear(self, item: CellLevel) -> None:
        self.heard.append(item)
        self.tell()

    def miss(self) -> None:
        self.gaps += 1
        self.tell()

    def tell(self) -> None:
        self.told = asyncio.create_task(self.notify())

    async def notify(self) -> None:
        async with self.something:
            self.something.notify_all()

    async def until(self, heard: int = 0, gaps: int = 0, within: float = PATIENCE_SECONDS) -> None:
        async with self.something, asyncio.timeout(within):
            await self.something.wait_for(lambda: len(self.heard) >= heard and self.gaps >= gaps)


@asynccontextmanager
async def following(url: str) -> AsyncIterator[Ear]:
    """A follower with a connection of its own, when it follows."""
    ear = Ear()
    bus = await Bus.connect(url)
    task = asyncio.create_task(bus.follow(ear.hear, ear.miss))
    try:
        await ear.until(gaps=1)
        yield ear
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await bus.close()


async def stored(bus: Bus) -> int:
    return (await bus.stream.stream_info(STREAM)).state.messages


async def test_every_follower_hears_every_change_in_order(bus: Bus, url: str) -> None:
    levels = [level(1 + n % 7, 1 + n, n) for n in range(2 * CHUNK + 3)]
    async with following(url) as first, following(url) as second:
        await bus.publish(levels)
        await first.until(heard=len(levels))
        await second.until(heard=len(levels))
        assert first.heard == second.heard == levels
        assert first.gaps == 1


async def test_a_follower_hears_only_what_comes_after_it(bus: Bus, url: str) -> None:
    await bus.publish([level(1, 1)])
    async with following(url) as ear:
        await bus.publish([level(1, 2)])
        await ear.until(heard=1)
        assert ear.heard == [level(1, 2)]


async def test_what_is_published_again_is_stored_once(bus: Bus) -> None:
    levels = [level(cell, 1) for cell in range(1, 11)]
    await bus.publish(levels)
    await bus.publish([*levels, level(11, 1)])
    await bus.publish([level(12, 1)])
    assert await stored(bus) == 12


async def test_publishing_goes_on_when_somebody_else_publishes_too(bus: Bus, url: str) -> None:
    other = await Bus.connect(url)
    try:
        for seq in range(1, 11):
            mine = [level(cell, seq) for cell in range(1, 6)]
            theirs = [level(cell, seq) for cell in range(101, 106)]
            await asyncio.gather(bus.publish(mine), other.publish(theirs))
    finally:
        await other.close()
    assert await stored(bus) == 100


class Lossy:
    """A connection that loses the first message it is given."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.has_lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    async def publish(self, *args: Any, **named: Any) -> None:
        if self.has_lost:
            await self.client.publish(*args, **named)
        self.has_lost = True


async def test_a_message_that_was_lost_on_the_way_is_sent_again(bus: Bus) -> None:
    bus.client = cast(Client, Lossy(bus.client))
    await bus.publish([level(cell, 1) for cell in (1, 2, 3)])
    assert await stored(bus) == 3


@pytest.mark.parametrize(
    "code", ["a.b", "*", ">", "a b", "", "ü/日本", "a\tb\r\nPUB x 0\r\n", "%2E"]
)
async def test_any_code_makes_one_token_of_a_subject(bus: Bus, url: str, code: str) -> None:
    odd = CellLevel(1, code, code, 1, 0, 0, 0, 0, 1, NOON)
    async with following(url) as ear:
        await bus.publish([odd])
        await ear.until(heard=1)
    assert ear.heard == [odd]
    assert changed(code, code).count(".") == 3


async def test_a_stopped_server_fails_at_once_and_a_started_one_is_found_again(
    server: Nats, bus: Bus, url: str
) -> None:
    async with following(url) as ear:
        await bus.publish([level(1, 1)])
        await ear.until(heard=1)
        await asyncio.to_thread(server.stop)
        with pytest.raises(BusDown):
            await bus.publish([level(1, 2)])
        with pytest.raises(BusDown):
            await bus.ping()
        await asyncio.to_thread(server.start)
        await ear.until(gaps=2, within=SILENCE_SECONDS / 2)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await bus.is_up.wait()
        await bus.ping()
        await bus.publish([level(1, 2)])
        await ear.until(heard=2)
        assert ear.heard == [level(1, 1), level(1, 2)]


async def test_a_stream_that_is_gone_is_made_again(bus: Bus, url: str) -> None:
    await bus.publish([level(1, 1)])
    await bus.stream.delete_stream(STREAM)
    with pytest.raises(BusDown):
        await bus.publish([level(1, 2)])
    await made(bus)
    await bus.publish([level(1, 2)])
    assert await stored(bus) == 1


async def test_a_number_that_is_missing_ends_the_feed_and_is_a_gap(bus: Bus, url: str) -> None:
    ear = Ear()
    task = asyncio.create_task(bus.follow(ear.hear, ear.miss))
    await ear.until(gaps=1)
    next(iter(bus.feeds)).number += 1
    await bus.publish([level(1, 1)])
    await ear.until(gaps=2, within=HEARTBEAT_SECONDS * 0.8)
    await bus.publish([level(1, 2)])
    await ear.until(heard=1)
    assert ear.heard == [level(1, 2)]
    task.cancel()


async def test_it_comes_up_by_itself_when_the_server_starts_later(server: Nats, url: str) -> None:
    await asyncio.to_thread(server.stop)
    late = await Bus.connect(url)
    try:
        with pytest.raises(BusDown):
            await late.publish([level(1, 1)])
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await late.is_up.wait()
        await late.publish([level(77, 1)])
    finally:
        await late.close()


async def test_something_else_on_a_subject_of_ours_is_passed_over(bus: Bus, url: str) -> None:
    stranger = Client()
    await stranger.connect(url)
    async with following(url) as ear:
        await stranger.publish("stock.changed.W.S1", b"hello")
        await stranger.flush()
        await bus.publish([level(1, 5)])
        await ear.until(heard=1)
    await stranger.close()
    assert ear.heard == [level(1, 5)]
