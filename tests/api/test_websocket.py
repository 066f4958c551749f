"""graphql-transport-ws, message by message, and what closes a socket."""

import pytest

from api.graphql_ws import ID_LIMIT, Patience
from domain.access import Role, everywhere
from infra.limits import DEFAULTS
from schema.engine import Answer
from tests.api.shop import bearer, open_shop, stale_bearer
from tests.api.wire import Door, answer, talk, until

LIVE = {"query": "subscription { stockChanged { seq } }"}
ROLE = {"query": "{ warehouses { code } }"}
SHORT = 0.05
ADMIN = bearer(Role.ADMIN)


@pytest.fixture
def door() -> Door:
    return Door()


async def test_a_subscription_is_told_every_change_until_it_ends(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload=LIVE)
        for number in (1, 2):
            door.engine.events.put_nowait(answer(number))
            heard = await client.hear()
            assert heard == {"id": "1", "type": "next", "payload": {"data": {"n": number}}}
        door.engine.events.put_nowait(None)
        assert await client.hear() == {"id": "1", "type": "complete"}


async def test_a_query_is_answered_once(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(bearer(Role.STOREFRONT))
        client.say("subscribe", id="1", payload=ROLE)
        assert (await client.hear())["payload"] == {"data": {"role": "storefront"}}
        assert await client.hear() == {"id": "1", "type": "complete"}


async def test_a_bad_document_is_an_error_and_ends_nothing_else(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload={"query": "{ nothing }"})
        heard = await client.hear()
        assert (heard["id"], heard["type"]) == ("1", "error")
        assert heard["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        client.say("subscribe", id="1", payload=ROLE)
        assert (await client.hear())["type"] == "next"


async def test_an_error_before_the_first_event_is_an_error_message(door: Door) -> None:
    """What may not be watched is an attempt like any other, and recorded."""
    shop = open_shop()
    door.engine.rt = shop.rt
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload=LIVE)
        body = b'{"errors":[{"message":"no"}]}'
        door.engine.events.put_nowait(Answer(body, was_executed=False, errors=("FORBIDDEN",)))
        expected = {"id": "1", "type": "error", "payload": [{"message": "no"}]}
        assert await client.hear() == expected
    assert [(one.act, one.outcome) for one in shop.records] == [("stockChanged", "NOT_PERMITTED")]


async def test_a_completed_subscription_is_let_go_and_its_id_is_free(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload=LIVE)
        await until(lambda: door.engine.open == 1)
        client.say("complete", id="1")
        await until(lambda: door.engine.open == 0)
        client.say("complete", id="never heard of")
        client.say("subscribe", id="1", payload=LIVE)
        door.engine.events.put_nowait(answer(7))
        assert (await client.hear())["payload"] == {"data": {"n": 7}}


async def test_all_subscriptions_end_with_their_socket(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        for number in range(3):
            client.say("subscribe", id=str(number), payload=LIVE)
        await until(lambda: door.engine.open == 3)
    assert door.engine.open == 0


async def test_a_ping_is_answered(door: Door) -> None:
    async with talk(door.app) as client:
        client.say("ping", payload={"any": "thing"})
        assert await client.hear() == {"type": "pong"}


async def test_the_token_may_come_in_the_handshake(door: Door) -> None:
    async with talk(door.app, headers=[(b"authorization", ADMIN.encode())]) as client:
        client.say("connection_init")
        assert await client.hear() == {"type": "connection_ack"}
        client.say("subscribe", id="1", payload=ROLE)
        assert (await client.hear())["payload"] == {"data": {"role": "admin"}}


async def test_the_name_of_the_token_is_written_in_any_case(door: Door) -> None:
    async with talk(door.app) as client:
        client.say("connection_init", payload={"Authorization": ADMIN})
        assert await client.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"authorization": "Bearer x"},
        {"authorization": 7},
        {"authorization": stale_bearer()},
        {"token": ADMIN},
    ],
)
async def test_without_a_good_token_it_is_forbidden(door: Door, payload: object) -> None:
    async with talk(door.app) as client:
        client.say("connection_init", payload=payload)
        assert await client.closed() == 4403


async def test_nothing_can_be_asked_before_the_acknowledgement(door: Door) -> None:
    async with talk(door.app) as client:
        client.say("subscribe", id="1", payload=LIVE)
        assert await client.closed() == 4401


async def test_who_never_starts_is_closed() -> None:
    async with talk(Door(Patience(for_init=SHORT)).app) as client:
        client.say("ping")
        assert await client.closed() == 4408


async def test_who_starts_twice_is_closed(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("connection_init", payload={"authorization": ADMIN})
        assert await client.closed() == 4429


async def test_an_id_in_use_is_closed(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload=LIVE)
        client.say("subscribe", id="1", payload=LIVE)
        assert await client.closed() == 4409


async def test_another_subprotocol_is_not_spoken(door: Door) -> None:
    for offered in ((), ("graphql-ws",)):
        async with talk(door.app, offered) as client:
            assert await client.closed() == 4406


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"type": 7}',
        '{"type": "hello"}',
        '{"type": "connection_init", "payload": 7}',
        '{"type": "ping"' + " " * DEFAULTS.body_limit + "}",
    ],
)
async def test_what_is_no_message_is_closed(door: Door, text: str) -> None:
    async with talk(door.app) as client:
        client.say_text(text)
        assert await client.closed() == 4400


@pytest.mark.parametrize(
    "message",
    [
        {"payload": LIVE},
        {"id": "", "payload": LIVE},
        {"id": "x" * (ID_LIMIT + 1), "payload": LIVE},
        {"id": "1"},
        {"id": "1", "payload": {}},
        {"id": "1", "payload": {"query": 7}},
    ],
)
async def test_a_subscription_must_be_well_formed(door: Door, message: dict[str, object]) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", **message)
        assert await client.closed() == 4400


async def test_bytes_are_no_message(door: Door) -> None:
    async with talk(door.app) as client:
        client.line.inbound.put_nowait({"type": "websocket.receive", "bytes": b"{}"})
        assert await client.closed() == 4400


async def test_a_socket_has_so_many_operations_and_no_more(door: Door) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        for number in range(DEFAULTS.subscriptions_limit + 1):
            client.say("subscribe", id=str(number), payload=LIVE)
        heard = await client.hear()
        assert (heard["id"], heard["type"]) == (str(DEFAULTS.subscriptions_limit), "error")
        assert heard["payload"][0]["extensions"] == {
            "code": "SUBSCRIPTIONS_LIMIT",
            "limit": 100,
            "setting": "ONHAND_SUBSCRIPTIONS_LIMIT",
            "retryable": True,
        }


async def test_a_token_that_runs_out_ends_the_socket() -> None:
    door = Door(Patience(for_init=SHORT, between_pings=SHORT))
    async with talk(door.app) as client:
        await client.start(ADMIN)
        door.gate.secret = "another secret, as long as the first one was"
        door.gate.trusted.clear()
        assert await client.closed() == 4403


async def test_who_may_less_than_before_must_come_anew() -> None:
    door = Door(Patience(for_init=SHORT, between_pings=SHORT))
    async with talk(door.app) as client:
        await client.start(ADMIN)
        analyst = everywhere("ann", Role.ANALYST)
        ((token, (until, _)),) = door.gate.trusted.items()
        door.gate.trusted[token] = (until, analyst)
        assert await client.closed() == 4403


async def test_a_peer_that_answers_no_ping_is_closed() -> None:
    door = Door(Patience(for_init=SHORT, between_pings=SHORT, for_any_message=0.0))
    async with talk(door.app) as client:
        await client.start(ADMIN)
        assert await client.hear() == {"type": "ping"}
        assert await client.closed() == 1002


async def test_a_fault_in_an_operation_closes_the_socket_and_is_logged(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    async with talk(door.app) as client:
        await client.start(ADMIN)
        client.say("subscribe", id="1", payload=LIVE)
        door.engine.events.put_nowait(ZeroDivisionError("ours"))
        assert await client.closed() == 1011
    assert "ours" in caplog.text


async def test_sockets_are_counted(door: Door) -> None:
    gauge = door.metrics.sockets
    async with talk(door.app) as client:
        await client.start(ADMIN)
        assert gauge._value.get() == 1
        client.say("hello")
        await client.closed()
        await client.line.over()
    assert gauge._value.get() == 0
    closings = door.metrics.closings.labels("4400", door.metrics.worker)
    assert closings._value.get() == 1
