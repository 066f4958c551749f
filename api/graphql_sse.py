"""GraphQL over server-sent events, as graphql-sse's "distinct connections": one operation, one
response; each answer is an event `next`, the end an event `complete`.

Who takes nothing for SEND_SECONDS is let go, and whose token is no longer good. One answer at most
waits here: what changes meanwhile waits, newest wins, where the changes come from."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from starlette.types import Message, Receive, Scope, Send

from api.operations import Asked, Operations
from schema.engine import Answer

SEND_SECONDS = 20.0
KEEP_ALIVE_SECONDS = 12.0
WELCOME_SECONDS = 20.0
"""Between two looks at the token."""
KEEP_ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    def __init__(
        self,
        operations: Operations,
        asked: Asked | Answer,
        send_seconds: float = SEND_SECONDS,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        is_welcome: Callable[[], Awaitable[bool]] | None = None,
        welcome_seconds: float = WELCOME_SECONDS,
    ) -> None:
        self.operations = operations
        self.asked = asked
        self.send_seconds = send_seconds
        self.keep_alive_seconds = keep_alive_seconds
        self.is_welcome = is_welcome
        self.welcome_seconds = welcome_seconds

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Ends when the answers end, when the client goes or may no longer ask, or is too slow."""
        writing = asyncio.create_task(self.write(send))
        leaving = asyncio.create_task(gone(receive))
        sending_away = asyncio.create_task(self.unwelcome())
        running = {writing, leaving, sending_away}
        self.operations.metrics.streams.inc()
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.operations.metrics.streams.dec()
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        if not writing.cancelled() and (error := writing.exception()) is not None:
            raise error

    async def unwelcome(self) -> None:
        """Returns when the token is no longer good."""
        while True:
            await asyncio.sleep(self.welcome_seconds)
            if self.is_welcome is not None and not await self.is_welcome():
                return

    async def write(self, send: Send) -> None:
        try:
            await self.put(send, {"type": "http.response.start", "status": 200, "headers": HEADERS})
            async with aclosing(self.frames()) as frames:
                async for frame in frames:
                    await self.put(send, part(frame, more=True))
            await self.put(send, part(COMPLETE, more=False))
        except TimeoutError:
            self.operations.metrics.closings.labels(
                "slow_stream", self.operations.metrics.worker
            ).inc()

    async def put(self, send: Send, message: Message) -> None:
        async with asyncio.timeout(self.send_seconds):
            await send(message)

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """An event per answer, and a comment whenever none has come for a while."""
        answers = self.answers()
        waiting = asyncio.ensure_future(anext(answers, None))
        try:
            while not waiting.done() or waiting.result() is not None:
                await asyncio.wait({waiting}, timeout=self.keep_alive_seconds)
                if not waiting.done():
                    yield KEEP_ALIVE
                elif (answer := waiting.result()) is not None:
                    yield b"event: next\ndata: " + answer.body + b"\n\n"
                    waiting = asyncio.ensure_future(anext(answers, None))
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})
            await answers.aclose()

    async def answers(self) -> AsyncGenerator[Answer, None]:
        if isinstance(self.asked, Answer):
            yield self.asked
        elif self.asked.kind != "subscription":
            yield await self.operations.execute(self.asked)
        else:
            async with aclosing(self.operations.stream(self.asked)) as answers:
                async for answer in answers:
                    yield answer


async def gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
