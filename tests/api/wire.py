"""Connections to an ASGI application without a socket: what is said, what is heard, and a client
that stops reading."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message

from api.authentication import Gate
from api.graphql_ws import GraphQLOverWebSocket, Patience
from api.metrics import Metrics
from api.operations import Operations
from infra.hub import Interest, Subscriber
from infra.levels import CellLevel
from infra.limits import DEFAULTS, Limits
from schema.documents import Prepared
from schema.engine import Answer, Asker, Engine, Operation
from tests.api.shop import SECRET, StillClock

PATIENCE_SECONDS = 5.0
"""A test that waits longer for something has failed."""


class Line:
    """One connection. `reads` is cleared while the client takes nothing."""

    def __init__(self) -> None:
        self.inbound: asyncio.Queue[Message] = asyncio.Queue()
        self.outbound: asyncio.Queue[Message] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.serving: asyncio.Future[None]

    async def receive(self) -> Message:
        return await self.inbound.get()

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.outbound.put_nowait(message)

    async def next(self) -> Message:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.outbound.get()

    async def over(self) -> None:
        """Waits until the application is done with this connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.shield(self.serving)


@asynccontextmanager
async def opened(app: ASGIApp, scope: dict[str, Any], gone: Message) -> AsyncIterator[Line]:
    line = Line()
    line.serving = asyncio.ensure_future(app(scope, line.receive, line.send))
    try:
        yield line
    finally:
        line.reads.set()
        line.inbound.put_nowait(gone)
        await asyncio.wait({line.serving}, timeout=PATIENCE_SECONDS)
        assert line.serving.done(), "the connection was not let go"


class Talk:
    """A WebSocket in the words of graphql-transport-ws."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def say(self, type: str, **more: object) -> None:
        self.say_text(msgspec.json.encode({"type": type, **more}).decode())

    def say_text(self, text: str) -> None:
        self.line.inbound.put_nowait({"type": "websocket.receive", "text": text})

    async def hear(self) -> dict[str, Any]:
        message = await self.line.next()
        assert message["type"] == "websocket.send", message
        heard: dict[str, Any] = msgspec.json.decode(message["text"])
        return heard

    async def closed(self) -> int:
        """The code it is closed with, after whatever else is still said."""
        while (message := await self.line.next())["type"] != "websocket.close":
            pass
        code: int = message["code"]
        return code

    async def start(self, authorization: str) -> None:
        self.say("connection_init", payload={"authorization": authorization})
        assert await self.hear() == {"type": "connection_ack"}


@asynccontextmanager
async def talk(
    app: ASGIApp,
    subprotocols: Sequence[str] = ("graphql-transport-ws",),
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> AsyncIterator[Talk]:
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": list(headers),
        "subprotocols": list(subprotocols),
    }
    async with opened(app, scope, {"type": "websocket.disconnect", "code": 1000}) as line:
        line.inbound.put_nowait({"type": "websocket.connect"})
        accepted = await line.next()
        assert accepted["type"] == "websocket.accept"
        yield Talk(line)


class ScriptedEngine(Engine):
    """Documents as in the real one; every subscription is given what is put into its queue, or what
    waits for its hub's subscriber. None is the end, an exception is raised."""

    def __init__(self, limits: Limits = DEFAULTS) -> None:
        super().__init__(None, limits=limits)  # type: ignore[arg-type]
        self.events: asyncio.Queue[Answer | Exception | None] = asyncio.Queue()
        self.subscriber = Subscriber(Interest())
        self.follows_hub = False
        self.open = 0
        self.given = 0

    async def execute(self, asker: Asker, prepared: Prepared, operation: Operation) -> Answer:
        return Answer(b'{"data":{"role":"%s"}}' % asker.caller.sight.encode())

    async def stream(
        self, asker: Asker, prepared: Prepared, operation: Operation
    ) -> AsyncGenerator[Answer, None]:
        self.open += 1
        try:
            while (event := await self.event()) is not None:
                if isinstance(event, Exception):
                    raise event
                self.given += 1
                yield event
        finally:
            self.open -= 1

    async def event(self) -> Answer | Exception | None:
        if not self.follows_hub:
            return await self.events.get()
        level = await self.subscriber.next()
        assert level is not None
        return shown(level)


def shown(level: CellLevel) -> Answer:
    return Answer(b'{"data":{"sku":"%s","seq":%d}}' % (level.sku.encode(), level.seq))


def answer(number: int) -> Answer:
    return Answer(b'{"data":{"n":%d}}' % number)


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


class Door:
    """The WebSocket endpoint with a scripted engine behind it."""

    def __init__(self, patience: Patience | None = None, limits: Limits = DEFAULTS) -> None:
        self.engine = ScriptedEngine(limits)
        self.metrics = Metrics()
        self.gate = Gate(SECRET, StillClock())
        self.operations = Operations(self.engine, self.metrics)
        self.app = GraphQLOverWebSocket(self.operations, self.gate, patience)
