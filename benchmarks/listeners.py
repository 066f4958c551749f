"""Subscribers by the thousand in a process of their own, each on a WebSocket of its own, read with
as little as Python can: frames are counted and their age is taken, not decoded.

`python -m benchmarks.listeners` reads its Orders from stdin; it writes `ready` when all subscribe,
measures after each line of seconds that it is given, writes what it Heard, and ends with its stdin.
"""

import asyncio
import base64
import os
import sys
from datetime import datetime
from struct import Struct
from time import process_time
from typing import cast

import msgspec
import uvloop

from benchmarks.pressure import percentile
from benchmarks.shop import HOST
from infra.clock import SystemClock
from infra.embedded.process import open_many_files

AT_ONCE = 64
"""Sockets that are being opened."""
FIRST_FRAME_SECONDS = 60.0
HEAD_END = b"\r\n\r\n"
NEXT = b'"next"'
"""As ours and as Strawberry's messages hold it."""
AS_OF = b'"asOf":'
INSTANT_BYTES = 40
"""What follows AS_OF, at most."""
SMALL, MEDIUM = 126, 127
LENGTHS = {SMALL: Struct("!H"), MEDIUM: Struct("!Q")}
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MASKED = 0x80
NO_MASK = bytes(4)
"""A mask of zeros is one; what is sent here surprises no proxy."""


class Orders(msgspec.Struct):
    """`waits` is whether each subscriber is given a level at once, and is ready only then."""

    port: int
    subscribers: int
    token: str
    query: str
    waits: bool


class Heard(msgspec.Struct):
    """Frames per second, milliseconds from a change to its frame, how many frames the subscribers
    had who had most and least, and this process's share of a core."""

    per_second: float
    p50_ms: float
    p99_ms: float
    fewest: int
    most: int
    cpu_share: float


class Listener(asyncio.Protocol):
    def __init__(self, crowd: "Crowd") -> None:
        self.crowd = crowd
        self.unread = b""
        self.is_open = False
        self.frames = 0
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /graphql HTTP/1.1\r\nhost: {HOST}\r\nupgrade: websocket\r\n"
            f"connection: Upgrade\r\nsec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.crowd.lost += 1
        if not self.first.done():
            self.first.set_exception(error or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self.unread = self.unread + data if self.unread else data
        if not self.is_open:
            head, ended, rest = self.unread.partition(HEAD_END)
            if not ended:
                return
            assert head.startswith(b"HTTP/1.1 101 "), head
            self.is_open = True
            self.unread = rest
            self.say(self.crowd.init)
        self.read_frames()

    def read_frames(self) -> None:
        data = self.unread
        at = 0
        while len(data) >= at + 2:
            length = data[at + 1]
            begins = at + 2
            if length in LENGTHS:
                size = LENGTHS[length]
                if len(data) < begins + size.size:
                    break
                (length,) = size.unpack_from(data, begins)
                begins += size.size
            if len(data) < begins + length:
                break
            self.hear(data[at] & 0x0F, data[begins : begins + length])
            at = begins + length
        self.unread = data[at:]

    def hear(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self.transport.write(framed(PONG, payload))
        if kind != TEXT:
            return
        if NEXT in payload:
            self.frames += 1
            self.crowd.heard(payload)
            self.is_ready()
        elif b"connection_ack" in payload:
            self.say(self.crowd.subscribe)
            if not self.crowd.orders.waits:
                self.is_ready()
        elif b'"ping"' in payload:
            self.say(b'{"type":"pong"}')
        else:
            raise AssertionError(payload)

    def is_ready(self) -> None:
        if not self.first.done():
            self.first.set_result(None)

    def say(self, text: bytes) -> None:
        self.transport.write(framed(TEXT, text))


class Crowd:
    """All subscribers, and the ages of the frames that came while it measures."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        payload = {"authorization": f"Bearer {orders.token}"}
        self.init = msgspec.json.encode({"type": "connection_init", "payload": payload})
        operation = {"query": orders.query}
        self.subscribe = msgspec.json.encode({"type": "subscribe", "id": "1", "payload": operation})
        self.now = SystemClock().now
        self.listeners: list[Listener] = []
        self.ages: list[float] = []
        self.instants: dict[bytes, datetime] = {}
        self.is_measuring = False
        self.lost = 0

    def heard(self, payload: bytes) -> None:
        if not self.is_measuring:
            return
        begins = payload.index(AS_OF)
        text = payload[begins : begins + INSTANT_BYTES]
        instant = self.instants.get(text)
        if instant is None:
            told = text.split(b'"')[3].decode().replace("Z", "+00:00")
            instant = self.instants[text] = datetime.fromisoformat(told)
        self.ages.append((self.now() - instant).total_seconds())

    async def gather(self) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def come() -> None:
            loop = asyncio.get_running_loop()
            async with places:
                _, listener = await loop.create_connection(
                    lambda: Listener(self), HOST, self.orders.port
                )
                self.listeners.append(listener)
                await listener.first

        async with asyncio.timeout(FIRST_FRAME_SECONDS), asyncio.TaskGroup() as coming:
            for _ in range(self.orders.subscribers):
                coming.create_task(come())

    async def measure(self, seconds: float) -> Heard:
        self.ages, self.instants, lost = [], {}, self.lost
        for listener in self.listeners:
            listener.frames = 0
        began = process_time()
        self.is_measuring = True
        await asyncio.sleep(seconds)
        self.is_measuring = False
        spent = process_time() - began
        assert self.lost == lost, f"{self.lost - lost} subscribers were hung up on"
        ages = sorted(self.ages)
        frames = [listener.frames for listener in self.listeners]
        return Heard(
            len(ages) / seconds,
            percentile(ages, 0.5),
            percentile(ages, 0.99),
            min(frames),
            max(frames),
            spent / seconds,
        )


def framed(kind: int, payload: bytes) -> bytes:
    """A client's frame, masked as it must be."""
    size = len(payload)
    length = (
        bytes([MASKED | size])
        if size < SMALL
        else bytes([MASKED | SMALL]) + LENGTHS[SMALL].pack(size)
    )
    return bytes([0x80 | kind]) + length + NO_MASK + payload


async def main() -> None:
    orders = msgspec.json.decode(await line(), type=Orders)
    crowd = Crowd(orders)
    await crowd.gather()
    tell(b"ready")
    while asked := await line():
        tell(msgspec.json.encode(await crowd.measure(float(asked))))
    for listener in crowd.listeners:
        listener.transport.abort()


async def line() -> bytes:
    return await asyncio.to_thread(sys.stdin.buffer.readline)


def tell(text: bytes) -> None:
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    open_many_files()
    uvloop.run(main())
