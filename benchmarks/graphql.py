"""`reserveStock` over HTTP against a whole running shop: parsed, permitted, decided, committed,
answered. The client is as lean as Python allows, and its own share of the CPU is told."""

import asyncio
import json
from contextlib import AsyncExitStack
from os import getpid
from typing import cast

import uvloop

from benchmarks.load import Reading, Roles, closed_loop
from benchmarks.race import WARM_UP_SECONDS, Result
from benchmarks.shop import HOST, RESERVE, Shop, reservation, shop

NAME = "GraphQL reserveStock"
END = b"\r\n\r\n"
LENGTH = b"content-length:"
ACCEPTED = b'"__typename":"Reservation"'
OK = b"HTTP/1.1 200 "


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way."""

    def __init__(self) -> None:
        self.read = bytearray()
        self.answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError("the API hung up"))

    def data_received(self, data: bytes) -> None:
        self.read += data
        head_ends = self.read.find(END)
        if head_ends < 0:
            return
        head = bytes(self.read[:head_ends]).lower()
        length = int(head.partition(LENGTH)[2].partition(b"\r\n")[0])
        body_begins = head_ends + len(END)
        if len(self.read) < body_begins + length or self.answer is None:
            return
        assert self.read.startswith(OK), bytes(self.read)
        self.answer.set_result(bytes(self.read[body_begins:]))
        self.read.clear()

    async def post(self, request: bytes) -> bytes:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


class Buyers:
    """All connections; a request takes whichever is free."""

    def __init__(self, token: str) -> None:
        self.head = (
            f"POST /graphql HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/json\r\naccept: application/json\r\ncontent-length: "
        ).encode()
        body = json.dumps({"query": RESERVE, "variables": {"input": reservation() | {"id": "@"}}})
        self.before, _, self.after = body.encode().partition(b"@")
        self.free: list[Connection] = []

    async def open(self, port: int, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(Connection, HOST, port)
            self.free.append(connection)

    def close(self) -> None:
        for connection in self.free:
            connection.transport.close()

    async def once(self) -> bool:
        body = self.before + reservation()["id"].encode() + self.after
        connection = self.free.pop()
        answer = await connection.post(self.head + str(len(body)).encode() + END + body)
        self.free.append(connection)
        assert ACCEPTED in answer, answer
        return True


def run(rounds: int, seconds: float, connections: tuple[int, ...]) -> list[Result]:
    with shop() as started:
        started.wait()
        started.fill()
        roles = {"client": [getpid()], **started.roles()}
        results = [Result(NAME, number, []) for number in connections]
        for _ in range(rounds):
            for result in results:
                reading = uvloop.run(read(started, result.in_flight, seconds, roles))
                result.readings.append(reading)
        return results


async def read(started: Shop, connections: int, seconds: float, roles: Roles) -> Reading:
    async with AsyncExitStack() as opened:
        buyers = Buyers(started.token())
        opened.callback(buyers.close)
        await buyers.open(started.port, connections)
        await closed_loop(buyers.once, connections, WARM_UP_SECONDS, roles)
        return await closed_loop(buyers.once, connections, seconds, roles)
