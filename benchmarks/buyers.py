"""Buyers over HTTP: kept-alive connections that reserve and wait for the answer, in a closed loop
or as they come. The client is as lean as Python allows, so that the server is what is measured."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import NamedTuple, cast

from benchmarks.pressure import TICK_SECONDS
from benchmarks.shop import HOST
from infra.clock import SystemClock

END = b"\r\n\r\n"
LENGTH = b"content-length:"
OK = b"HTTP/1.1 200 "
ID = "@"
"""Stands in a body for the id of the request."""
PATIENCE_SECONDS = 60.0
ARRIVALS_LIMIT = 200_000


class Endpoint(NamedTuple):
    """Where one road is, what is sent there (with ID in its place), and what a yes holds."""

    port: int
    path: str
    body: str
    accepted: bytes
    token: str = ""


class Connection(asyncio.Protocol):
    """One kept-alive connection with one request under way."""

    def __init__(self) -> None:
        self.read = bytearray()
        self.answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError("the server hung up"))

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

    def post(self, request: bytes) -> asyncio.Future[bytes]:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer


class Buyers:
    """All connections; a request takes whichever is free."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        given = f"authorization: Bearer {endpoint.token}\r\n" if endpoint.token else ""
        self.head = (
            f"POST {endpoint.path} HTTP/1.1\r\nhost: {HOST}\r\n{given}"
            "content-type: application/json\r\naccept: application/json\r\ncontent-length: "
        ).encode()
        self.before, _, self.after = endpoint.body.encode().partition(ID.encode())
        self.new_id = SystemClock().new_id
        self.free: list[Connection] = []

    async def open(self, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(Connection, HOST, self.endpoint.port)
            self.free.append(connection)

    def close(self) -> None:
        for connection in self.free:
            connection.transport.close()

    def request(self) -> bytes:
        body = self.before + str(self.new_id()).encode() + self.after
        return self.head + str(len(body)).encode() + END + body

    async def once(self) -> bool:
        connection = self.free.pop()
        answer = await connection.post(self.request())
        self.free.append(connection)
        self.must_be_accepted(answer)
        return True

    def must_be_accepted(self, answer: bytes) -> None:
        assert self.endpoint.accepted in answer, answer

    async def offered(self, per_second: float, seconds: float) -> list[float]:
        """So many requests per second, for so long: the seconds from when each was due to its
        answer, sorted. One that finds no free connection waits for one, and its time runs."""
        due: deque[float] = deque()
        all_answered = asyncio.Event()
        latencies: list[float] = []
        begun = perf_counter()
        until = begun + seconds
        sent = 0
        is_over = False

        def answered(connection: Connection, due_at: float, answer: asyncio.Future[bytes]) -> None:
            latencies.append(perf_counter() - due_at)
            self.must_be_accepted(answer.result())
            self.free.append(connection)
            send_due()
            if is_over and len(latencies) == sent:
                all_answered.set()

        def send_due() -> None:
            while due and self.free:
                connection, due_at = self.free.pop(), due.popleft()
                answer = connection.post(self.request())
                answer.add_done_callback(partial(answered, connection, due_at))

        async with asyncio.timeout(seconds + PATIENCE_SECONDS):
            while (now := perf_counter()) < until and sent < ARRIVALS_LIMIT:
                arrived = int((now - begun) * per_second)
                due.extend(begun + number / per_second for number in range(sent, arrived))
                sent = max(sent, arrived)
                send_due()
                await asyncio.sleep(TICK_SECONDS)
            is_over = True
            if len(latencies) < sent:
                await all_answered.wait()
        return sorted(latencies)


@asynccontextmanager
async def buyers_at(endpoint: Endpoint, connections: int) -> AsyncIterator[Buyers]:
    buyers = Buyers(endpoint)
    try:
        await buyers.open(connections)
        yield buyers
    finally:
        buyers.close()
