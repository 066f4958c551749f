"""The stream's two ends without a network: how bytes become frames, and who is heard."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.stream import (
    BROKEN,
    CONNECTIONS_LIMIT,
    FRAME_LIMIT_BYTES,
    HEADER,
    Address,
    BrokenFrame,
    Link,
    Listener,
    Served,
    cut,
    packed,
)
from tests.actors.world import until

KEY = b"the owner's key, 32 bytes long.."
AT = Address("owner", 1, KEY)


class FakeTransport:
    """Keeps what is written; an ended connection stays ended."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.is_ended = False

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_ended

    def close(self) -> None:
        self.is_ended = True

    abort = close


def on_transport(end: Served | Link) -> FakeTransport:
    transport = FakeTransport()
    end.connection_made(cast(asyncio.Transport, transport))
    return transport


async def reversed_bytes(frame: bytes) -> bytes:
    if frame == b"bad":
        raise ValueError("no such request")
    return frame[::-1]


def served(
    answer: Callable[[bytes], Awaitable[bytes]] = reversed_bytes,
) -> tuple[Served, FakeTransport]:
    end = Served(Listener(answer, KEY))
    return end, on_transport(end)


@given(st.lists(st.binary(max_size=30), max_size=6), st.data())
def test_frames_come_out_whole_wherever_the_bytes_are_cut(
    frames: list[bytes], data: st.DataObject
) -> None:
    sent = list(enumerate(frames))
    stream = b"".join(packed(*frame) for frame in sent)
    unread = bytearray()
    received: list[tuple[int, bytes]] = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        unread += stream[:size]
        stream = stream[size:]
        received += cut(unread)
    assert received == sent
    assert not unread


async def test_a_frame_is_answered_under_the_number_of_its_call() -> None:
    end, transport = served()
    end.data_received(KEY + packed(7, b"abc") + packed(9, b"xyz"))
    await until(lambda: len(transport.written) == 2 * (HEADER.size + 3))
    assert sorted(cut(transport.written)) == [(7, b"cba"), (9, b"zyx")]


async def test_a_frame_that_breaks_is_answered_as_broken_and_the_next_one_works() -> None:
    end, transport = served()
    end.data_received(KEY + packed(1, b"bad") + packed(2, b"ok"))
    await until(lambda: len(transport.written) == 2 * HEADER.size + 2)
    assert sorted(cut(transport.written)) == [(1, BROKEN), (2, b"ko")]


async def test_who_does_not_know_the_key_is_not_heard() -> None:
    asked: list[bytes] = []

    async def answer(frame: bytes) -> bytes:
        asked.append(frame)
        return frame

    end, transport = served(answer)
    end.data_received(b"?" * len(KEY) + packed(1, b"abc"))
    await asyncio.sleep(0)
    assert transport.is_ended
    assert not asked


async def test_the_key_may_come_in_pieces() -> None:
    end, transport = served()
    for byte in KEY + packed(1, b"abc"):
        end.data_received(bytes([byte]))
    await until(lambda: transport.written)
    assert cut(transport.written) == [(1, b"cba")]


async def test_a_frame_above_the_limit_ends_its_connection() -> None:
    end, transport = served()
    end.data_received(KEY + HEADER.pack(FRAME_LIMIT_BYTES + 1, 1))
    assert transport.is_ended


async def test_a_client_that_does_not_read_loses_its_connection() -> None:
    end, transport = served()
    end.pause_writing()
    assert transport.is_ended


async def test_one_connection_more_than_the_limit_is_ended() -> None:
    listener = Listener(reversed_bytes, KEY)
    ends = [on_transport(Served(listener)) for _ in range(CONNECTIONS_LIMIT + 1)]
    assert [transport.is_ended for transport in ends[-2:]] == [False, True]


async def test_replies_find_their_calls_in_any_order() -> None:
    link = Link(AT)
    transport = on_transport(link)
    calls = [asyncio.create_task(link.call(frame)) for frame in (b"first", b"second")]
    await until(lambda: len(link.pending) == 2)
    assert cut(transport.written) == [(0, b"first"), (1, b"second")]
    link.data_received(packed(1, b"two") + packed(0, b"one"))
    assert await asyncio.gather(*calls) == [b"one", b"two"]
    assert not link.pending


async def test_a_broken_reply_is_told_apart_from_a_lost_connection() -> None:
    link = Link(AT)
    on_transport(link)
    broken = asyncio.create_task(link.call(b"bad"))
    await until(lambda: link.pending)
    link.data_received(packed(0, BROKEN))
    with pytest.raises(BrokenFrame):
        await broken
    lost = asyncio.create_task(link.call(b"good"))
    await until(lambda: link.pending)
    link.connection_lost(None)
    with pytest.raises(ConnectionError):
        await lost


async def test_a_late_reply_is_dropped() -> None:
    link = Link(AT)
    on_transport(link)
    left = asyncio.create_task(link.call(b"slow"))
    await until(lambda: link.pending)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    link.data_received(packed(0, b"late"))
    assert not link.pending


async def test_a_closed_connection_takes_no_call() -> None:
    link = Link(AT)
    on_transport(link).close()
    with pytest.raises(ConnectionError):
        await link.call(b"abc")
