"""The waiting room through the public door: GraphQL in, JSON out."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.access import Role
from domain.refusals import TicketRequired
from domain.waiting_room import ticket_id
from services import tickets
from tests.api.shop import NOON, ask, data
from tests.schema.waiting import JOIN, SALE, SELLING, Waiting


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


async def test_a_ticket_tells_its_place_and_how_long_it_may_take(waiting: Waiting) -> None:
    async with waiting.shop.client(Role.STOREFRONT) as client:
        for number in range(14):
            await waiting.join(client, f"early {number}")
        told = await waiting.join(client, "ann")
    assert told.pop("id")
    assert told == {
        "__typename": "Ticket",
        "saleId": str(SALE),
        "customer": "ann",
        "place": 15,
        "ahead": 14,
        "estimatedWaitSeconds": 2,
        "state": "WAITING",
        "token": None,
        "expiresAt": None,
    }


async def test_joining_twice_gives_the_same_ticket(waiting: Waiting) -> None:
    async with waiting.shop.client() as client:
        first = await waiting.join(client, "ann")
        await waiting.join(client, "bob")
        assert await waiting.join(client, "ann") == first


async def test_an_admitted_ticket_has_a_token_that_proves_it(waiting: Waiting) -> None:
    async with waiting.shop.client() as client:
        id = (await waiting.join(client, "ann"))["id"]
        assert await waiting.later() == 1
        told = await waiting.ticket(client, id)
    assert (told["state"], told["ahead"], told["expiresAt"]) == (
        "ADMITTED",
        0,
        "2030-01-01T12:02:01Z",
    )
    proved = tickets.admitted(waiting.rt, SELLING, "ann", told["token"])
    assert proved == ticket_id(SALE, "ann", 1)


async def test_a_token_is_of_its_customer_its_sale_and_its_time(waiting: Waiting) -> None:
    async with waiting.shop.client() as client:
        id = (await waiting.join(client, "ann"))["id"]
        await waiting.later()
        token = (await waiting.ticket(client, id))["token"]
    other = replace(SELLING, id=UUID(int=8))
    rt, no = waiting.rt, TicketRequired(SALE)
    assert tickets.admitted(rt, SELLING, "bob", token) == no
    assert tickets.admitted(rt, SELLING, None, token) == no
    assert tickets.admitted(rt, other, "ann", token) == TicketRequired(other.id)
    assert tickets.admitted(rt, SELLING, "ann", None) == no
    assert tickets.admitted(rt, SELLING, "ann", id) == no
    assert tickets.admitted(rt, SELLING, "ann", token[:30] + "x" + token[31:]) == no
    for odd in ("", "ü", "=", "A", "AAAA" * 1_000, "!!!!"):
        assert tickets.admitted(rt, SELLING, "ann", odd) == no
    key = replace(rt, settings=replace(rt.settings, secret_key="another key"))
    assert tickets.admitted(key, SELLING, "ann", token) == no
    waiting.shop.clock.time += timedelta(seconds=119)
    assert isinstance(tickets.admitted(rt, SELLING, "ann", token), UUID)
    waiting.shop.clock.time += timedelta(seconds=1)
    assert tickets.admitted(rt, SELLING, "ann", token) == no


async def test_a_ticket_that_nobody_was_given_is_none(waiting: Waiting) -> None:
    async with waiting.shop.client() as client:
        id = (await waiting.join(client, "ann"))["id"]
        await waiting.later()
        token = (await waiting.ticket(client, id))["token"]
        for odd in ("", "ann", token, id[:-1], "A" + id[1:], "%" * 9_000):
            assert await waiting.ticket(client, odd) is None


async def test_no_more_are_let_in_than_units_are_left(waiting: Waiting) -> None:
    waiting.store.units = 3
    async with waiting.shop.client() as client:
        ids = [(await waiting.join(client, f"C{number}"))["id"] for number in range(5)]
        assert await waiting.later() == 3
        assert await waiting.later() == 0
        waiting.store.bought = {"C0", "C1"}
        assert await waiting.later() == 0
        assert (await waiting.ticket(client, ids[3]))["state"] == "WAITING"


async def test_who_lets_the_time_pass_lets_in_the_next_and_may_queue_again(
    waiting: Waiting,
) -> None:
    waiting.store.units = 1
    async with waiting.shop.client() as client:
        ann = await waiting.join(client, "ann")
        bob = await waiting.join(client, "bob")
        assert await waiting.later() == 1
        assert await waiting.later(119) == 0
        assert await waiting.later(1) == 1
        assert (await waiting.ticket(client, ann["id"]))["state"] == "LAPSED"
        assert (await waiting.ticket(client, bob["id"]))["state"] == "ADMITTED"
        again = await waiting.join(client, "ann")
        assert (again["place"], again["state"]) == (3, "WAITING")
        assert await waiting.join(client, "ann") == again


async def test_those_who_wait_are_told_that_it_is_sold_out_and_when_it_is_not(
    waiting: Waiting,
) -> None:
    waiting.store.units = 1
    async with waiting.shop.client() as client:
        ids = [(await waiting.join(client, name))["id"] for name in ("ann", "bob")]
        await waiting.later()
        waiting.store.bought, waiting.store.unpaid = {"ann"}, 1
        await waiting.later()
        assert (await waiting.ticket(client, ids[1]))["state"] == "WAITING"
        waiting.store.unpaid = 0
        await waiting.later()
        assert (await waiting.ticket(client, ids[1]))["state"] == "SOLD_OUT"
        waiting.store.units = 2
        await waiting.later()
        assert (await waiting.ticket(client, ids[1]))["state"] == "ADMITTED"


async def test_a_lost_queue_goes_on_above_the_highest_place_and_tickets_put_theirs_back(
    waiting: Waiting,
) -> None:
    async with waiting.shop.client() as client:
        made = [await waiting.join(client, f"C{number}") for number in range(4)]
        waiting.store.units = 2
        await waiting.later()
        waiting.queues.lose()
        assert (await waiting.join(client, "new"))["place"] == 5
        for ticket in made:
            told = await waiting.ticket(client, ticket["id"])
            assert told["place"] == ticket["place"]
        assert [(await waiting.join(client, f"C{n}"))["place"] for n in range(4)] == [1, 2, 3, 4]
        waiting.store.units, waiting.store.bought = 4, {"C0", "C1"}
        assert await waiting.later() == 2
        assert [waiting.store.rows[place][0] for place in (3, 4)] == ["C2", "C3"]


async def test_who_was_let_in_while_the_queue_was_lost_gets_the_name_back(
    waiting: Waiting,
) -> None:
    async with waiting.shop.client() as client:
        id = (await waiting.join(client, "ann"))["id"]
        waiting.queues.lose()
        assert await waiting.later() == 1
        assert waiting.store.rows[1][0] is None
        assert (await waiting.ticket(client, id))["state"] == "ADMITTED"
        assert waiting.store.rows[1][0] == "ann"


async def test_without_redis_nobody_joins_but_those_who_wait_are_let_in(waiting: Waiting) -> None:
    async with waiting.shop.client() as client:
        id = (await waiting.join(client, "ann"))["id"]
        waiting.queues.is_down = True
        asked = {"sale": str(SALE), "customer": "bob"}
        (error,) = (await ask(client, JOIN, asked))["errors"]
        assert error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
        assert await waiting.later() == 1
        assert (await waiting.ticket(client, id))["state"] == "ADMITTED"


async def test_a_place_given_under_an_epoch_that_is_over_is_not_answered(
    waiting: Waiting,
) -> None:
    async with waiting.shop.client() as client:
        await waiting.join(client, "ann")
        await waiting.store.begin(SALE)
        assert (await waiting.join(client, "bob"))["place"] == 2
    assert waiting.store.stored == waiting.queues.mark


async def test_a_full_waiting_room_says_so(waiting: Waiting) -> None:
    waiting.queues.limit = 1
    async with waiting.shop.client() as client:
        await waiting.join(client, "ann")
        told = await waiting.join(client, "bob")
        assert (told["__typename"], told["field"]) == ("Invalid", "saleId")
        assert "full" in told["message"]


async def test_the_doors_open_with_the_sale_and_joining_before_is_allowed() -> None:
    early = Waiting(opens_at=NOON + timedelta(seconds=30), state="scheduled")
    async with early.shop.client() as client:
        told = await early.join(client, "ann")
        assert (told["state"], told["estimatedWaitSeconds"]) == ("WAITING", 31)
    selling = replace(SELLING, opens_at=NOON + timedelta(seconds=30))
    assert await tickets.advance(early.rt, selling) == 0
    early.shop.clock.time += timedelta(seconds=31)
    assert await tickets.advance(early.rt, selling) == 1


@pytest.mark.parametrize(
    ("changed", "seconds"),
    [({"state": "closed", "closed_at": NOON}, 0), ({"state": "open"}, 3_600)],
)
async def test_a_sale_that_is_over_is_not_joined(changed: dict[str, object], seconds: int) -> None:
    over = Waiting(**changed)
    over.shop.clock.time += timedelta(seconds=seconds)
    async with over.shop.client() as client:
        told = await over.join(client, "ann")
    assert told["code"] == "SALE_NOT_OPEN"
    assert told["closedAt"] is not None
    assert await tickets.advance(over.rt, SELLING) == 0


async def test_what_cannot_be_joined_is_refused(waiting: Waiting) -> None:
    async with waiting.shop.client() as client:
        for sale, customer, code in [
            (str(UUID(int=9)), "ann", "NOT_FOUND"),
            ("no sale", "ann", "INVALID"),
            (str(SALE), "", "INVALID"),
            (str(SALE), "x" * 201, "INVALID"),
        ]:
            told = await data(client, JOIN, {"sale": sale, "customer": customer})
            assert told["code"] == code
    plain = Waiting(waiting_room=False)
    async with plain.shop.client() as client:
        assert (await plain.join(client, "ann"))["field"] == "saleId"
    assert await tickets.advance(plain.rt, replace(SELLING, waiting_room=False)) == 0
