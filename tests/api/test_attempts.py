"""Whoever is turned away leaves a line in the log: what, who, from where, and nothing of what was
sent; a flood leaves a few lines and a number."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from limits.aio.storage import MemoryStorage

from api.attempts import LINES_PER_WINDOW, WATCHED, Attempts
from domain.access import Role
from infra.clock import SystemClock
from infra.limits import Limits
from infra.logs import JsonFormatter
from infra.rates import Rates
from tests.api.shop import Shop, open_shop, stale_bearer
from tests.api.test_websocket import ADMIN
from tests.api.wire import Door, talk

PATIENCE_SECONDS = 5.0
PLANT = "planted"
SALE = 'mutation { closeFlashSale(id: "none") { __typename } }'
ROLE = {"query": "{ me { subject } }"}


class Told(logging.Handler):
    """Lines as they go to the log, by then with what is told of a request."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(JsonFormatter().format(record)))


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    handler = Told()
    logger = logging.getLogger("onhand.turned_away")
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


def shop(**settings: str) -> Shop:
    made = open_shop(environ={f"ONHAND_{name}": value for name, value in settings.items()})
    made.rt = replace(made.rt, rates=Rates(MemoryStorage(), SystemClock()))
    return made


async def no_token(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    await client.post("/graphql", json=ROLE)


async def bad_token(client: httpx.AsyncClient) -> None:
    client.headers["authorization"] = stale_bearer()
    await client.post("/graphql", json=ROLE)


async def bad_token_for_the_trail(client: httpx.AsyncClient) -> None:
    client.headers["authorization"] = f"Bearer {PLANT}"
    await client.get("/exports/trail.csv")


async def foreign_page(client: httpx.AsyncClient) -> None:
    origin = {"origin": f"https://{PLANT}.example"}
    await client.post("/graphql", json=ROLE, headers=origin)


async def unknown_document(client: httpx.AsyncClient) -> None:
    await client.post("/graphql", json={"documentId": PLANT})


async def too_deep(client: httpx.AsyncClient) -> None:
    await client.post("/graphql", json={"query": f"{{ {PLANT} {{ a {{ b }} }} }}"})


async def too_large(client: httpx.AsyncClient) -> None:
    await client.post("/graphql", json={"query": PLANT * 1_000})


async def mutation_by_get(client: httpx.AsyncClient) -> None:
    await client.get("/graphql", params={"query": SALE.replace("none", PLANT)})


async def by_a_form(client: httpx.AsyncClient) -> None:
    await client.post("/graphql", data={"query": PLANT})


async def too_often(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.post("/graphql", json={"query": SALE})


async def exports_too_often(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.get(f"/exports/trail.csv?{PLANT}=1")


@pytest.mark.parametrize(
    ("what", "attempt", "caller"),
    [
        ("UNAUTHENTICATED", no_token, None),
        ("CREDENTIALS_REFUSED", bad_token, None),
        ("CREDENTIALS_REFUSED", bad_token_for_the_trail, None),
        ("ORIGIN_NOT_ALLOWED", foreign_page, None),
        ("PERSISTED_QUERY_NOT_FOUND", unknown_document, "ann"),
        ("DEPTH_LIMIT", too_deep, "ann"),
        ("BODY_LIMIT", too_large, "ann"),
        ("METHOD_NOT_ALLOWED", mutation_by_get, "ann"),
        ("UNSUPPORTED_MEDIA_TYPE", by_a_form, "ann"),
        ("MUTATIONS_PER_MINUTE", too_often, "ann"),
        ("EXPORTS_PER_MINUTE", exports_too_often, "ann"),
    ],
)
async def test_each_attempt_is_one_line_without_what_was_sent(
    told: list[dict[str, Any]], what: str, attempt: Any, caller: str | None
) -> None:
    settings = {"MUTATIONS_PER_MINUTE": "2", "EXPORTS_PER_MINUTE": "2"}
    opened = shop(DEPTH_LIMIT="2", BODY_LIMIT="4096", TRUSTED_PROXIES="127.0.0.1", **settings)
    async with opened.client(Role.ADMIN) as client:
        client.headers["x-forwarded-for"] = "198.51.100.7"
        client.headers["x-correlation-id"] = "call-7"
        await attempt(client)
    (line,) = told
    assert line.pop("at")
    assert line == {
        "level": "warning",
        "logger": "onhand.turned_away",
        "message": "turned away",
        "correlationId": "call-7",
        "what": what,
        "caller": caller,
        "address": "198.51.100.7",
    }
    assert PLANT not in str(told)


async def test_documents_that_are_not_taken_are_told(told: list[dict[str, Any]]) -> None:
    door = Door()
    door.operations.documents.is_only = True
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload={"query": "{ planted }"})
        assert (await client.hear())["type"] == "error"
    (line,) = told
    assert (line["what"], line["caller"]) == ("DOCUMENT_NOT_ALLOWED", "ann")


@pytest.mark.parametrize(
    ("said", "what", "caller"),
    [
        ('{"type":"connection_init","payload":{"authorization":"x"}}', "CREDENTIALS_REFUSED", None),
        ('{"type":"subscribe","id":"1","payload":{}}', "UNAUTHENTICATED", None),
        (" " * 5_000, "BODY_LIMIT", None),
    ],
)
async def test_a_socket_that_is_closed_for_it_is_told(
    told: list[dict[str, Any]], said: str, what: str, caller: str | None
) -> None:
    async with talk(Door(limits=Limits(body_limit=4_096)).app) as client:
        client.say_text(said)
        await client.closed()
    (line,) = told
    assert (line["what"], line["caller"]) == (what, caller)


async def test_one_socket_too_many_is_told_with_its_caller(told: list[dict[str, Any]]) -> None:
    door = Door(limits=Limits(connections_limit=1))
    async with talk(door.app) as first, talk(door.app) as second:
        await first.start(ADMIN)
        second.say("connection_init", payload={"authorization": ADMIN})
        await second.closed()
    (line,) = told
    assert (line["what"], line["caller"]) == ("CONNECTIONS_LIMIT", "ann")


async def test_who_is_served_leaves_none(told: list[dict[str, Any]]) -> None:
    async with shop().client() as client:
        await client.post("/graphql", json=ROLE)
        await client.post("/graphql", json={"query": "{ mistyped }"})
    assert told == []


async def test_a_flood_leaves_a_few_lines_and_a_number(told: list[dict[str, Any]]) -> None:
    opened = shop()
    async with opened.client(None) as client:
        asked = [client.post("/graphql", json=ROLE) for _ in range(LINES_PER_WINDOW + 30)]
        await asyncio.gather(*asked)
        await until(told, LINES_PER_WINDOW + 1)
    *lines, last = told
    assert len(lines) == LINES_PER_WINDOW
    assert last["leftOut"] == {"UNAUTHENTICATED": 30}
    assert "correlationId" not in last


async def test_after_a_second_lines_are_told_again(told: list[dict[str, Any]]) -> None:
    attempts = Attempts(lines=1, window_seconds=0.05)
    for _ in range(3):
        attempts.note(["BODY_LIMIT", "nothing that is watched"], None)
    await until(told, 2)
    attempts.note(["DEPTH_LIMIT"], "ann")
    assert [line.get("what") for line in told] == ["BODY_LIMIT", None, "DEPTH_LIMIT"]
    assert told[1]["leftOut"] == {"BODY_LIMIT": 2}


def test_every_limit_is_watched() -> None:
    assert {"DEPTH_LIMIT", "SIGN_INS_PER_MINUTE", "CONNECTIONS_LIMIT"} <= WATCHED


async def until(told: list[dict[str, Any]], count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if len(told) >= count:
                return
            await asyncio.sleep(0.01)
