"""graphql-sse, event by event; and clients that stop reading."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from api.authentication import Gate
from api.graphiql import Console
from api.graphql_http import GraphQLOverHTTP
from api.graphql_sse import KEEP_ALIVE, EventStream
from api.metrics import Metrics
from api.open_door import OpenDoor
from api.operations import Asked, Operations, Sent
from domain.access import Caller, Role, everywhere
from infra.limits import DEFAULTS, Limits
from tests.api.shop import SECRET, StillClock, bearer
from tests.api.wire import Line, ScriptedEngine, answer, opened, until
from tests.infra.fakes import level

LIVE = "subscription { stockChanged { seq } }"
SHORT = 0.05
COMPLETE = b"event: complete\ndata:\n\n"


class Door:
    def __init__(self, limits: Limits = DEFAULTS) -> None:
        self.engine = ScriptedEngine(limits)
        self.metrics = Metrics()
        self.operations = Operations(self.engine, self.metrics)
        self.app = GraphQLOverHTTP(
            self.operations, OpenDoor(self.operations), Gate(SECRET, StillClock()), Console()
        )

    def stream(self, **seconds: Any) -> EventStream:
        """A subscription with little patience."""
        caller = everywhere("ann", Role.ADMIN)
        asked = self.operations.prepare(caller, Sent(LIVE))
        assert isinstance(asked, Asked)
        return EventStream(self.operations, asked, **seconds)


@pytest.fixture
def door() -> Door:
    return Door()


@asynccontextmanager
async def get(app: object, query: str = "") -> AsyncIterator[Line]:
    """The client's side, after the start of the response."""
    async with opened_stream(app, query) as line:
        start = await line.next()
        assert start["status"] == 200
        assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
        yield line


@asynccontextmanager
async def opened_stream(app: object, query: str = LIVE) -> AsyncIterator[Line]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/graphql",
        "query_string": f"query={query}".replace(" ", "%20").encode(),
        "headers": [
            (b"accept", b"text/event-stream"),
            (b"authorization", bearer(Role.ADMIN).encode()),
        ],
    }
    async with opened(app, scope, {"type": "http.disconnect"}) as line:  # type: ignore[arg-type]
        yield line


async def test_a_subscription_is_told_every_change_until_it_ends(door: Door) -> None:
    async with get(door.app, LIVE) as line:
        for number in (1, 2):
            door.engine.events.put_nowait(answer(number))
            expected = b'event: next\ndata: {"data":{"n":%d}}\n\n' % number
            assert (await line.next())["body"] == expected
        door.engine.events.put_nowait(None)
        last = await line.next()
        assert (last["body"], last["more_body"]) == (COMPLETE, False)


async def test_a_query_is_one_event(door: Door) -> None:
    async with get(door.app, "{ warehouses { code } }") as line:
        assert b'{"data":{"role":"admin"}}' in (await line.next())["body"]
        assert (await line.next())["body"] == COMPLETE


async def test_a_bad_document_is_one_event(door: Door) -> None:
    async with get(door.app, "{ nothing }") as line:
        assert b"GRAPHQL_VALIDATION_FAILED" in (await line.next())["body"]
        assert (await line.next())["body"] == COMPLETE


async def test_a_client_that_goes_takes_its_subscription_along(door: Door) -> None:
    async with get(door.app, LIVE) as line:
        await until(lambda: door.engine.open == 1)
        line.inbound.put_nowait({"type": "http.disconnect"})
        await line.over()
    assert door.engine.open == 0
    assert door.metrics.streams._value.get() == 0


async def test_a_quiet_stream_is_kept_alive(door: Door) -> None:
    async with get(door.stream(keep_alive_seconds=SHORT)) as line:
        assert (await line.next())["body"] == KEEP_ALIVE
        assert (await line.next())["body"] == KEEP_ALIVE
        door.engine.events.put_nowait(answer(1))
        while (body := (await line.next())["body"]) == KEEP_ALIVE:
            pass
        assert b'{"n":1}' in body


async def test_a_slow_client_misses_history_and_never_the_truth(door: Door) -> None:
    door.engine.follows_hub = True
    async with get(door.stream()) as line:
        line.reads.clear()
        door.engine.subscriber.put(level(1, 1), 0.0)
        await until(lambda: door.engine.given == 1)
        for seq in range(2, 1_000):
            door.engine.subscriber.put(level(1, seq), 0.0)
        line.reads.set()
        assert b'"seq":1}' in (await line.next())["body"]
        while b'"seq":999}' not in (body := (await line.next())["body"]):
            assert b'"seq":2}' in body
        assert door.engine.given <= 3


async def test_a_client_that_takes_nothing_is_let_go(door: Door) -> None:
    async with get(door.stream(send_seconds=SHORT)) as line:
        line.reads.clear()
        door.engine.events.put_nowait(answer(1))
        await line.over()
        assert door.engine.open == 0
        closings = door.metrics.closings.labels("slow_stream", door.metrics.worker)
        assert closings._value.get() == 1


async def test_a_fault_is_not_swallowed(door: Door) -> None:
    async with get(door.app, LIVE) as line:
        door.engine.events.put_nowait(ZeroDivisionError("ours"))
        with pytest.raises(ZeroDivisionError):
            await line.over()


async def test_a_stream_ends_with_its_token(door: Door) -> None:
    asked: list[bool] = [True, True, False]

    async def is_welcome() -> bool:
        return asked.pop(0)

    stream = door.stream(is_welcome=is_welcome, welcome_seconds=SHORT)
    async with opened(stream, {"type": "http"}, {"type": "http.disconnect"}) as line:
        await line.over()
    assert not asked
    assert door.engine.open == 0


async def test_a_stream_looks_at_the_token_that_opened_it(door: Door) -> None:
    looks: list[str | None] = []

    async def is_still(caller: Caller, authorization: str | None) -> bool:
        looks.append(authorization)
        return False

    door.app.gate.is_still = is_still  # type: ignore[method-assign]
    asked = door.stream().asked
    headers = {b"authorization": b"Bearer one"}
    app = door.app.streamed(asked, "text/event-stream", headers)
    events = app.args[0]  # type: ignore[attr-defined]
    assert not await events.is_welcome()
    assert looks == ["Bearer one"]


async def test_a_caller_has_so_many_streams_and_no_more() -> None:
    door = Door(Limits(connections_limit=1))
    async with get(door.app, LIVE), opened_stream(door.app) as line:
        refused = await line.next()
        assert refused["status"] == 429
        assert (b"retry-after", b"1") in refused["headers"]
        assert b"ONHAND_CONNECTIONS_LIMIT" in (await line.next())["body"]
    async with get(door.app, LIVE):
        assert door.operations.connections.open == {"ann": 1}
