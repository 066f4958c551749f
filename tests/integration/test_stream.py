"""The stream over real sockets: an owner that goes away, and one that comes back elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.stream import Address, Listener, StreamChannel
from infra.outage import Outage

LOOPBACK = "127.0.0.1"
KEY = b"k" * 32


async def twice(frame: bytes) -> bytes:
    return frame * 2


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[Address]:
    try:
        yield await listener.open(LOOPBACK)
    finally:
        listener.close()


class Finder:
    """Says where the owner is, and counts who asks."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.asked = 0

    async def __call__(self) -> Address:
        self.asked += 1
        return self.address


@asynccontextmanager
async def channel_to(find: Finder) -> AsyncIterator[StreamChannel]:
    channel = StreamChannel(find)
    try:
        yield channel
    finally:
        channel.close()
        await asyncio.sleep(0)


async def test_calls_at_once_share_one_connection() -> None:
    listener = Listener(twice, KEY)
    async with listening(listener) as address, channel_to(Finder(address)) as channel:
        frames = [bytes([number]) * 5_000 for number in range(100)]
        replies = await asyncio.gather(*[channel.call(frame) for frame in frames])
        assert replies == [frame * 2 for frame in frames]
        assert len(listener.connections) == 1


async def test_megabytes_go_through() -> None:
    async with listening(Listener(twice, KEY)) as address, channel_to(Finder(address)) as channel:
        frame = b"ab" * 4_000_000
        assert await channel.call(frame) == frame * 2


async def test_a_call_under_way_is_an_outage_when_the_owner_dies_and_the_next_finds_it_again() -> (
    None
):
    asked = asyncio.Event()

    async def never(frame: bytes) -> bytes:
        asked.set()
        await asyncio.Event().wait()
        return frame

    first = Listener(never, KEY)
    async with listening(first) as address, listening(Listener(twice, KEY)) as elsewhere:
        find = Finder(address)
        async with channel_to(find) as channel:
            call = asyncio.create_task(channel.call(b"x"))
            await asked.wait()
            first.close()
            with pytest.raises(Outage):
                await call
            find.address = elsewhere
            assert await channel.call(b"x") == b"xx"
            assert find.asked == 2


async def test_nobody_there_is_an_outage() -> None:
    async with listening(Listener(twice, KEY)) as address:
        gone = address
    async with channel_to(Finder(gone)) as channel:
        with pytest.raises(Outage):
            await channel.call(b"x")


async def test_a_wrong_key_is_an_outage() -> None:
    async with listening(Listener(twice, KEY)) as address:
        wrong = Address(address.host, address.port, b"?" * 32)
        async with channel_to(Finder(wrong)) as channel:
            with pytest.raises(Outage):
                await channel.call(b"x")
