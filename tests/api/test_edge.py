"""The outermost layer: ids of requests, masked faults; and the logs that tell of them."""

import io
import json
import logging

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from api.edge import Edge
from api.metrics import Metrics
from infra.logs import CORRELATION, JsonFormatter, setup_logs
from tests.api.shop import SETTINGS, Shop, StillClock, open_shop


@pytest.fixture
def shop() -> Shop:
    return open_shop()


async def test_a_request_keeps_the_id_it_came_with(shop: Shop) -> None:
    async with shop.client() as client:
        response = await client.get("/health/live", headers={"x-correlation-id": "order-7:a.b_c"})
        assert response.headers["x-correlation-id"] == "order-7:a.b_c"


@pytest.mark.parametrize("given", ["", "with space", "x" * 65, "line\\nbreak", "ü"])
async def test_an_id_that_could_do_harm_is_replaced(shop: Shop, given: str) -> None:
    async with shop.client() as client:
        headers = [(b"x-correlation-id", given.encode())]
        response = await client.get("/health/live", headers=headers)
        assert response.headers["x-correlation-id"] == f"{1:032x}"


async def test_a_request_without_an_id_is_given_one_of_its_own(shop: Shop) -> None:
    async with shop.client() as client:
        ids = {(await client.get("/health/live")).headers["x-correlation-id"] for _ in range(3)}
        assert len(ids) == 3


async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
    logging.getLogger("test").warning("on the way")
    raise ValueError("secret of the house")


async def test_a_fault_tells_only_the_id_of_its_request(caplog: pytest.LogCaptureFixture) -> None:
    transport = httpx.ASGITransport(Edge(broken, StillClock(), Metrics(), SETTINGS))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        response = await client.get("/", headers={"x-correlation-id": "call-9"})
    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "correlationId": "call-9"}
    assert "secret" not in response.text
    assert "secret of the house" in caplog.text


def logged(record: logging.LogRecord) -> dict[str, object]:
    line: dict[str, object] = json.loads(JsonFormatter().format(record))
    return line


def record(message: str, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "onhand.test", "levelname": "INFO", "msg": message, "created": 0.0, **more}
    )


def test_a_log_line_is_json_with_time_level_and_message() -> None:
    assert logged(record("%s units", args=(3,))) == {
        "at": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "onhand.test",
        "message": "3 units",
    }


def test_a_log_line_carries_the_id_of_the_request_it_was_written_for() -> None:
    token = CORRELATION.set("call-1")
    try:
        assert logged(record("hello"))["correlationId"] == "call-1"
    finally:
        CORRELATION.reset(token)


def test_what_is_given_as_extra_is_told_whatever_it_is() -> None:
    line = logged(record("hello", owner=3, odd=object))
    assert (line["owner"], line["odd"]) == ("3", "<class 'object'>")


def test_a_stack_stays_in_one_line() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        setup_logs("info", stream)
        try:
            raise ValueError("boom")
        except ValueError:
            logging.getLogger("test").exception("it broke")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: boom" in json.loads(line)["stack"]
