"""The limits of the API, one by one: who goes beyond is told its code, its value and its setting,
and who stays within is served."""

import asyncio
from typing import Any, cast

import httpx
import pytest

from infra.limits import LIMIT_VARIABLES, Limits
from infra.settings import Settings, SettingsError
from schema.documents import Prepared
from schema.engine import Answer, Asker, Operation
from tests.api.shop import Shop, open_shop
from tests.api.test_websocket import ADMIN, LIVE
from tests.api.wire import Door, ScriptedEngine, talk, until
from tests.api.wire import answer as answered

JSON = {"content-type": "application/json"}
CODES = "{ skus(first: 5) { edges { node { code } } } }"


def shop_within(**limits: int) -> Shop:
    return open_shop(environ={f"ONHAND_{one.upper()}": str(limits[one]) for one in limits})


async def post(shop: Shop, query: str, **more: object) -> httpx.Response:
    async with shop.client() as client:
        return await client.post("/graphql", json={"query": query, **more})


@pytest.mark.parametrize(
    ("name", "value", "query"),
    [
        ("tokens_limit", 5, "{ warehouses { code name } }"),
        ("operations_limit", 1, "query A { __typename } query B { __typename }"),
        ("depth_limit", 2, CODES),
        ("aliases_limit", 1, "{ a: __typename b: __typename }"),
        ("fields_limit", 2, "{ warehouses { code name region } }"),
        ("cost_limit", 5, CODES),
        ("page_limit", 60, CODES.replace("5", "61")),
        ("body_limit", 40, "{ __typename __typename __typename __typename }"),
    ],
)
async def test_who_goes_beyond_a_limit_is_told_which_and_its_setting(
    name: str, value: int, query: str
) -> None:
    response = await post(shop_within(**{name: value}), query)
    (error,) = response.json()["errors"]
    facts = error["extensions"]
    assert (facts["code"], facts["limit"]) == (name.upper(), value)
    assert facts["setting"] == f"ONHAND_{name.upper()}"
    assert f"{value} at most (ONHAND_{name.upper()})" in error["message"]
    assert response.status_code == (413 if name == "body_limit" else 200)


@pytest.mark.parametrize(
    ("limits", "code"), [({"page_limit": 60}, "PAGE_LIMIT"), ({"cost_limit": 40}, "COST_LIMIT")]
)
async def test_a_page_that_is_a_variable_is_looked_at_with_each_request(
    limits: dict[str, int], code: str
) -> None:
    query = "query($n: Int!) { stockLevels(first: $n) { edges { node { seq } } } }"
    async with shop_within(**limits).client() as client:
        for first, expected in ((61, code), (0, "BAD_USER_INPUT"), (99, code)):
            response = await client.post(
                "/graphql", json={"query": query, "variables": {"n": first}}
            )
            (error,) = response.json()["errors"]
            assert error["extensions"]["code"] == expected


async def test_a_request_is_one_operation() -> None:
    async with open_shop().client() as client:
        response = await client.post("/graphql", json=[{"query": "{ __typename }"}] * 2)
    assert response.status_code == 400
    assert "not a list" in response.text


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ __typename }", "variables": {"a": ' + DEEP + b"}}",
        b'{"query": "{ __typename }", "unknown": ' + DEEP + b"}",
        *(
            b'{"query": "{ __typename }", "variables": {"a\\u0041": %b}}'
            % (b"[" * depth + b"]" * depth)
            for depth in range(700, 1_000, 20)
        ),
    ],
)
async def test_what_is_nested_too_deep_is_a_bad_request_and_no_fault_of_ours(body: bytes) -> None:
    async with open_shop().client() as client:
        response = await client.post("/graphql", content=body, headers=JSON)
        assert response.status_code in (200, 400)
        assert "INTERNAL" not in response.text


async def test_variables_in_an_address_may_not_be_nested_too_deep() -> None:
    variables = '{"a":' + "[" * 2_000 + "]" * 2_000 + "}"
    async with open_shop().client() as client:
        asked = {"query": "{ __typename }", "variables": variables}
        response = await client.get("/graphql", params=asked)
        assert response.status_code == 400


async def test_what_is_nested_too_deep_closes_a_socket() -> None:
    async with talk(Door().app) as client:
        await client.start(ADMIN)
        client.say_text('{"type": "subscribe", "id": "1", "payload": ' + DEEP.decode() + "}")
        assert await client.closed() == 4400


async def test_a_message_may_not_be_too_long() -> None:
    async with talk(Door(limits=Limits(body_limit=1_000)).app) as client:
        await client.start(ADMIN)
        client.say("ping", payload={"a": "b" * 1_000})
        assert await client.closed() == 4400


class StuckEngine(ScriptedEngine):
    async def execute(self, asker: Asker, prepared: Prepared, operation: Operation) -> Answer:
        await asyncio.Event().wait()
        return answered(1)


async def test_an_operation_that_takes_too_long_is_told_to_be_asked_again() -> None:
    door = Door(limits=Limits(operation_seconds=1))
    door.engine.__class__ = StuckEngine
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload={"query": "{ __typename }"})
        facts: dict[str, Any] = (await client.hear())["payload"]["errors"][0]["extensions"]
        assert (facts["code"], facts["retryable"]) == ("UNAVAILABLE", True)
        assert (facts["limit"], facts["setting"]) == (1, "ONHAND_OPERATION_SECONDS")


class SlowEngine(ScriptedEngine):
    may_end: asyncio.Event
    begun = ended = 0

    async def execute(self, asker: Asker, prepared: Prepared, operation: Operation) -> Answer:
        self.begun += 1
        await self.may_end.wait()
        self.ended += 1
        return answered(1)


@pytest.mark.parametrize("is_completed", [True, False])
async def test_an_act_that_its_client_completes_or_leaves_goes_on_to_its_end(
    is_completed: bool,
) -> None:
    """It may be done already: its record has to follow."""
    door = Door()
    door.engine.__class__ = SlowEngine
    engine = cast("SlowEngine", door.engine)
    engine.rt, engine.may_end = open_shop().rt, asyncio.Event()
    document = 'mutation { closeFlashSale(id: "none") { __typename } }'
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload={"query": document})
        await until(lambda: engine.begun)
        if is_completed:
            client.say("complete", id="1")
            client.say("ping")
            assert (await client.hear())["type"] == "pong"
    engine.may_end.set()
    await until(lambda: engine.ended)


async def test_a_caller_has_so_many_sockets_and_no_more() -> None:
    door = Door(limits=Limits(connections_limit=1))
    async with talk(door.app) as first:
        await first.start(ADMIN)
        async with talk(door.app) as second:
            second.say("connection_init", payload={"authorization": ADMIN})
            assert await second.closed() == 1013
        first.say("subscribe", id="1", payload=LIVE)
        door.engine.events.put_nowait(answered(1))
        assert (await first.hear())["payload"] == {"data": {"n": 1}}
    async with talk(door.app) as third:
        await third.start(ADMIN)


@pytest.mark.parametrize("variable", LIMIT_VARIABLES, ids=lambda variable: variable.name)
def test_each_limit_is_a_setting(variable: Any) -> None:
    settings = Settings.load({variable.name: "77"})
    assert getattr(settings.limits, variable.field) == 77
    assert settings.environ()[variable.name] == "77"
    assert variable.name in {name for name, _, _ in settings.shown()}
    for bad in ("0", "-1", "many", "9999999999"):
        with pytest.raises(SettingsError, match=variable.name):
            Settings.load({variable.name: bad})
