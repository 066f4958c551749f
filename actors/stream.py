"""The stream between a process that has requests and an owner: frames over TCP, beside Ray. Ray
places the owners, keeps them alive and says where they listen; its calls take several times as long
as the commit that they ask for. A connection begins with the owner's key; then each frame is its
length, the number of its call and its bytes, in both directions.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from itertools import count
from struct import Struct
from typing import cast

from infra.outage import Outage
from infra.seats import Address as Address

HEADER = Struct("!II")
CALL_NUMBERS = 2**32
FRAME_LIMIT_BYTES = 64_000_000
UNREAD_LIMIT_BYTES = 64_000_000
"""Replies that a client leaves unread; then its connection ends."""
CONNECTIONS_LIMIT = 1_000
"""Per owner; each API process has one."""
CALL_TIMEOUT_SECONDS = 5.0
DOUBT_SECONDS = 0.5
"""A call that is not answered for so long makes the client look whether the owner is another."""
BROKEN = b""
"""The reply to a frame that the owner choked on."""
log = logging.getLogger(__name__)


class BrokenFrame(Exception):
    """The owner is there and chokes on this frame: asking again does not help."""


def packed(call: int, frame: bytes) -> bytes:
    return HEADER.pack(len(frame), call) + frame


def cut(unread: bytearray) -> list[tuple[int, bytes]]:
    """Takes the whole frames out of `unread`, with the numbers of their calls."""
    frames: list[tuple[int, bytes]] = []
    start = 0
    while len(unread) - start >= HEADER.size:
        length, call = HEADER.unpack_from(unread, start)
        if length > FRAME_LIMIT_BYTES:
            raise ConnectionError(f"a frame of {length} bytes")
        begin = start + HEADER.size
        if begin + length > len(unread):
            break
        start = begin + length
        with memoryview(unread) as view:
            frames.append((call, bytes(view[begin:start])))
    del unread[:start]
    return frames


class Listener:
    """An owner's end: answers every frame that comes on any connection."""

    def __init__(self, answer: Callable[[bytes], Awaitable[bytes]], key: bytes) -> None:
        self.answer = answer
        self.key = key
        self.connections: set[Served] = set()
        self.server: asyncio.Server | None = None

    async def open(self, host: str) -> Address:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: Served(self), host, 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return Address(host, port, self.key)

    def close(self) -> None:
        """Replies that were given are still sent."""
        if self.server is not None:
            self.server.close()
        for served in list(self.connections):
            served.transport.close()


class Served(asyncio.Protocol):
    """One client's connection, in its owner."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.unread = bytearray()
        self.is_known = False
        self.answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(UNREAD_LIMIT_BYTES)
        if len(self.listener.connections) >= CONNECTIONS_LIMIT:
            self.end("there are too many")
        self.listener.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.listener.connections.discard(self)

    def pause_writing(self) -> None:
        self.end("its client does not read the replies")

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if not self.is_known and not self.hears_key():
            return
        try:
            frames = cut(self.unread)
        except ConnectionError as error:
            self.end(str(error))
            return
        for call, frame in frames:
            task = asyncio.get_running_loop().create_task(self.serve(call, frame))
            self.answering.add(task)
            task.add_done_callback(self.answering.discard)

    def hears_key(self) -> bool:
        key = self.listener.key
        if len(self.unread) < len(key):
            return False
        self.is_known = compare_digest(self.unread[: len(key)], key)
        if not self.is_known:
            self.end("its key is not this owner's")
        del self.unread[: len(key)]
        return self.is_known

    def end(self, reason: str) -> None:
        log.warning("a connection ends: %s", reason)
        self.transport.abort()

    async def serve(self, call: int, frame: bytes) -> None:
        try:
            reply = await self.listener.answer(frame)
        except Exception:  # tidy: allow broad-except: the owner goes on, whatever a frame did
            log.exception("a frame of %d bytes broke", len(frame))
            reply = BROKEN
        self.transport.write(packed(call, reply))


class Link(asyncio.Protocol):
    """One connection to an owner, in its client."""

    def __init__(self, at: Address) -> None:
        self.at = at
        self.unread = bytearray()
        self.calls = count()
        self.pending: dict[int, asyncio.Future[bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        for pending in self.pending.values():
            if not pending.done():
                pending.set_exception(ConnectionResetError("the connection to the owner is lost"))

    def data_received(self, data: bytes) -> None:
        self.unread += data
        for call, reply in cut(self.unread):
            pending = self.pending.get(call)
            if pending is None or pending.done():
                continue
            if reply == BROKEN:
                pending.set_exception(BrokenFrame("the owner could not answer a frame"))
            else:
                pending.set_result(reply)

    async def call(self, frame: bytes) -> bytes:
        if self.transport.is_closing():
            raise ConnectionResetError("the connection to the owner is closed")
        number = next(self.calls) % CALL_NUMBERS
        pending: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.pending[number] = pending
        self.transport.write(packed(number, frame))
        try:
            return await pending
        finally:
            del self.pending[number]


class StreamChannel:
    """The owner as its client sees it: found when it is first needed, and again after every call
    that it did not answer, for it may have started again somewhere else."""

    def __init__(self, find: Callable[[], Awaitable[Address]]) -> None:
        self.find = find
        self.link: Link | None = None
        self.opening = asyncio.Lock()

    async def call(self, frame: bytes) -> bytes:
        link = self.link
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                link = link or await self.open()
                return await self.answered(link, frame)
        except OSError as error:
            self.forget(link)
            raise Outage(f"the owner does not answer: {type(error).__name__}") from error

    async def open(self) -> Link:
        async with self.opening:
            if self.link is None:
                at = await self.find()
                loop = asyncio.get_running_loop()
                _, link = await loop.create_connection(lambda: Link(at), at.host, at.port)
                link.transport.write(at.key)
                self.link = link
            return self.link

    async def answered(self, link: Link, frame: bytes) -> bytes:
        """Gives up early if somebody else sits in the owner's seat by now."""
        call = asyncio.ensure_future(link.call(frame))
        try:
            while not (await asyncio.wait({call}, timeout=DOUBT_SECONDS))[0]:
                if await self.find() != link.at:
                    raise ConnectionResetError("another owner has taken over")
            return call.result()
        finally:
            call.cancel()

    def forget(self, link: Link | None) -> None:
        if link is None:
            return
        link.transport.close()
        if self.link is link:
            self.link = None

    def close(self) -> None:
        self.forget(self.link)
