"""Subscribers that read frames of a WebSocket with as little as they can."""

import asyncio
from datetime import UTC, datetime

import msgspec

from benchmarks.listeners import LENGTHS, MEDIUM, PING, PONG, SMALL, TEXT, Crowd, Listener, Orders

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))


def frame(kind: int, payload: bytes) -> bytes:
    """As servers write them."""
    if len(payload) < SMALL:
        return bytes([0x80 | kind, len(payload)]) + payload
    size = SMALL if len(payload) < 2**16 else MEDIUM
    return bytes([0x80 | kind, size]) + LENGTHS[size].pack(len(payload)) + payload


def next_frame(padding: int) -> bytes:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    told = {"type": "next", "payload": {"asOf": now, "padding": "x" * padding}}
    return frame(TEXT, msgspec.json.encode(told))


async def test_frames_of_every_length_are_counted_however_they_are_cut() -> None:
    crowd = Crowd(Orders(1, 1, "t", "subscription { x }", waits=True))
    crowd.is_measuring = True
    data = UPGRADED + b"".join(next_frame(padding) for padding in (0, 200, 70_000))
    for step in (1_000, 7, 100_000):
        listener = Listener(crowd)
        listener.connection_made(Wire())
        for start in range(0, len(data), step):
            listener.data_received(data[start : start + step])
        assert listener.frames == 3
    assert len(crowd.ages) == 9
    assert all(0 <= age < 60 for age in crowd.ages)


async def test_a_ping_is_answered_with_what_it_brought() -> None:
    listener = Listener(Crowd(Orders(1, 1, "t", "subscription { x }", waits=True)))
    wire = Wire()
    listener.connection_made(wire)
    listener.data_received(UPGRADED + frame(PING, b"hello"))
    assert wire.written[-1][0] & 0x0F == PONG
    assert wire.written[-1].endswith(b"hello")
