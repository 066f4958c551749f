"""GraphQL over WebSocket: the subprotocol graphql-transport-ws, with its closing codes.

Each operation is a task that sends its own answers and waits until the socket has taken them, so
one answer per operation is all that waits here; what changes meanwhile waits, newest wins, where
the changes come from. A socket that takes nothing for too long is closed.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from api.authentication import Gate
from api.graphql_ws_messages import (
    ACK,
    ATTEMPTS,
    BAD_MESSAGE,
    FORBIDDEN,
    INTERNAL,
    NO_INIT,
    NO_SUBPROTOCOL,
    PING,
    PONG,
    SILENT,
    TOO_LONG,
    TOO_MANY_INITS,
    TOO_MANY_SOCKETS,
    TOO_SLOW,
    UNAUTHORIZED,
    UNSURE,
    Closed,
    Said,
    around_next,
    authorization_in,
    complete_message,
    error_message,
    next_message,
)
from api.operations import Asked, Operations, Sent
from api.sending import Sending
from domain.access import Caller
from infra.outage import Outage
from schema.engine import Answer

LOG = logging.getLogger("onhand.api")
SUBPROTOCOL = "graphql-transport-ws"
ID_LIMIT = 128
"""Characters of an operation's id."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a socket is waited for, in seconds."""

    for_init: float = 10.0
    for_sending: float = 20.0
    between_pings: float = 20.0
    for_any_message: float = 65.0


SAID = msgspec.json.Decoder(Said)
SENT = msgspec.json.Decoder(Sent)
INIT = msgspec.json.Decoder(dict[str, Any] | None)


class GraphQLOverWebSocket:
    """An ASGI application for one route."""

    def __init__(
        self, operations: Operations, gate: Gate, patience: Patience | None = None
    ) -> None:
        self.operations = operations
        self.gate = gate
        self.patience = patience or Patience()
        self.sending = Sending(self.patience.for_sending)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        offered = SUBPROTOCOL in scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if offered else None})
        socket = Socket(self, Headers(scope=scope).get("authorization"), send)
        self.operations.metrics.sockets.inc()
        self.sending.came()
        try:
            closed = await socket.serve(receive) if offered else NO_SUBPROTOCOL
        finally:
            self.sending.went()
            self.operations.metrics.sockets.dec()
        if closed is not None:
            metrics = self.operations.metrics
            metrics.attempts.note(ATTEMPTS.get(closed, ()), socket.subject)
            metrics.closings.labels(str(closed.code), metrics.worker).inc()
            await socket.close(closed)


class Socket:
    """One connection. Its life ends with the first reason to close it, or when the client goes."""

    def __init__(self, home: GraphQLOverWebSocket, authorization: str | None, send: Send) -> None:
        self.operations = home.operations
        self.gate = home.gate
        self.patience = home.patience
        self.authorization = authorization
        self.send = send
        self.sending = home.sending
        self.too_slow = partial(self.end, TOO_SLOW)
        self.turn = asyncio.Lock()
        self.ending: asyncio.Future[Closed | None] = asyncio.get_running_loop().create_future()
        self.tasks: set[asyncio.Task[None]] = set()
        self.operating: dict[str, asyncio.Task[None]] = {}
        self.is_ready = False
        self.known: Caller | None = None
        self.subject: str | None = None
        self.heard_at = 0.0

    async def serve(self, receive: Receive) -> Closed | None:
        self.start(self.read(receive))
        self.start(self.watch())
        try:
            return await self.ending
        finally:
            running = [task for task in self.tasks if task.cancel()]
            if running:
                await asyncio.wait(running)
            if self.known is not None:
                self.operations.connections.went(self.known.subject)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.finished)
        return task

    def finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("a socket's task failed", exc_info=error)
            self.end(INTERNAL)

    def end(self, closed: Closed | None) -> None:
        if not self.ending.done():
            self.ending.set_result(closed)

    async def read(self, receive: Receive) -> None:
        while not self.ending.done():
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.end(None)
                return
            self.heard_at = asyncio.get_running_loop().time()
            text = message.get("text")
            if text is None:
                self.end(Closed(BAD_MESSAGE, "A message must be text"))
                return
            if len(text) > self.operations.limits.body_limit:
                self.end(TOO_LONG)
                return
            await self.hear(text)

    async def watch(self) -> None:
        """Waits for the first message, then looks whether there still is somebody, and whether the
        token is still good."""
        await asyncio.sleep(self.patience.for_init)
        if not self.is_ready:
            self.end(NO_INIT)
        while not self.ending.done():
            await self.say(PING)
            await asyncio.sleep(self.patience.between_pings)
            silence = asyncio.get_running_loop().time() - self.heard_at
            if silence > self.patience.for_any_message:
                self.end(SILENT)
            if self.known and not await self.gate.is_still(self.known, self.authorization):
                self.end(FORBIDDEN)

    async def caller(self) -> Caller | None:
        """None: the socket is ending."""
        try:
            caller = await self.gate.caller_of(self.authorization)
        except Outage:
            self.end(UNSURE)
            return None
        if caller is None:
            self.end(FORBIDDEN)
        return caller

    async def hear(self, text: str) -> None:
        try:
            said = SAID.decode(text)
            match said.type:
                case "connection_init":
                    await self.init(said)
                case "ping":
                    await self.say(PONG)
                case "pong":
                    pass
                case "subscribe":
                    await self.subscribe(said)
                case "complete":
                    self.complete(said)
                case _:
                    self.end(Closed(BAD_MESSAGE, "Unknown message type"))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self.end(Closed(BAD_MESSAGE, "Invalid message"))

    async def init(self, said: Said) -> None:
        if self.is_ready:
            self.end(TOO_MANY_INITS)
            return
        given = authorization_in(INIT.decode(said.payload) or {})
        self.authorization = given or self.authorization
        caller = await self.caller()
        if caller is None:
            return
        self.subject = caller.subject
        if not self.operations.connections.came(caller.subject):
            self.end(TOO_MANY_SOCKETS)
            return
        self.known = caller
        self.is_ready = True
        await self.say(ACK)

    async def subscribe(self, said: Said) -> None:
        if not self.is_ready:
            self.end(UNAUTHORIZED)
            return
        caller = await self.caller()
        if caller is None:
            return
        if not said.id or len(said.id) > ID_LIMIT:
            self.end(Closed(BAD_MESSAGE, "An operation needs an id"))
        elif said.id in self.operating:
            self.end(Closed(4409, f"Subscriber for {said.id} already exists"))
        elif len(self.operating) >= self.operations.limits.subscriptions_limit:
            too_many = self.operations.turned_down(caller, self.operations.too_many)
            await self.say(error_message(said.id, too_many))
        else:
            sent = SENT.decode(said.payload)
            if sent.is_empty:
                raise msgspec.ValidationError("query is missing")
            self.operating[said.id] = self.start(self.run(said.id, caller, sent))

    def complete(self, said: Said) -> None:
        task = self.operating.pop(said.id or "", None)
        if task is not None:
            task.cancel()

    async def run(self, key: str, caller: Caller, sent: Sent) -> None:
        """One operation, to its end."""
        asked = self.operations.prepare(caller, sent)
        if isinstance(asked, Answer):
            last = error_message(key, asked)
        else:
            last = await self.answer(key, asked)
        del self.operating[key]
        await self.say(last)

    async def answer(self, key: str, asked: Asked) -> str:
        """Sends the answers; the message that ends the operation."""
        if asked.kind != "subscription":
            answer = await self.operations.execute(asked)
            if not answer.was_executed:
                return error_message(key, answer)
            await self.say(next_message(key, answer))
            return complete_message(key)
        begin, end = around_next(key)
        async with aclosing(self.operations.stream(asked)) as answers:
            async for answer in answers:
                if not answer.was_executed:
                    return error_message(key, answer)
                await self.say(begin + answer.body.decode() + end)
        return complete_message(key)

    async def say(self, text: str) -> None:
        """One at a time, so that a socket that is not read holds back only itself."""
        async with self.turn:
            self.sending.begin(self.too_slow)
            try:
                await self.send({"type": "websocket.send", "text": text})
            except OSError:
                self.end(None)
            finally:
                self.sending.done(self.too_slow)

    async def close(self, closed: Closed) -> None:
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(self.patience.for_sending):
                await self.send(
                    {"type": "websocket.close", "code": closed.code, "reason": closed.reason}
                )
