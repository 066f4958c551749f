"""A replay through the public door of a fake server."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.public_api import PublicApi, Sent
from connectors.public_api_documents import AVAILABLE, RESERVE
from domain.ledger import Kind
from services.door import DoorError
from services.figures import Call, Ending, Figures
from services.orders_in import Invoice, OrderLine, in_time_order
from services.replay import ROUNDS_ALONE, ROUNDS_AMONG_OTHERS, Playing, replay
from tests.connectors.fake_server import FakeServer, refused

BEGIN = datetime(2011, 1, 4, 9, 0, tzinfo=UTC)


def line(
    invoice: str, sku: str, quantity: int, minute: int = 0, comes_back: bool = False
) -> OrderLine:
    at = BEGIN + timedelta(minutes=minute)
    return OrderLine(invoice, sku, None, quantity, at, 100, "17850", "LON", comes_back)


def shop(**available: int) -> FakeServer:
    server = FakeServer()
    server.skus = {sku: {} for sku in available}
    server.available.update({(sku, "LON"): units for sku, units in available.items()})
    return server


async def played(server: FakeServer, *lines: OrderLine, concurrency: int = 1) -> Figures:
    invoices = in_time_order(lines)
    return await replay(PublicApi(server.send), invoices, Playing(concurrency, lambda _: None))


async def test_a_sale_is_reserved_confirmed_and_deducted() -> None:
    server = shop(A=10)
    figures = await played(server, line("1", "A", 4))
    assert [name for name, _ in server.asked] == ["reserve", "confirm", "deduct"]
    assert server.delivered == {("A", "LON"): 4}
    assert figures.endings == {Ending.DELIVERED: 1}
    assert figures.units == {Kind.RESERVE: 4, Kind.DEDUCT: 4}
    assert figures.mutations == 3


async def test_lines_of_one_sku_are_merged() -> None:
    server = shop(A=10)
    await played(server, line("1", "A", 4), line("1", "A", 3))
    assert server.asked[0][1]["input"]["lines"] == [{"sku": "A", "warehouse": "LON", "quantity": 7}]


async def test_invoices_are_played_in_time_order() -> None:
    server = shop(A=10)
    await played(server, line("2", "A", 2, minute=5), line("1", "A", 1, minute=1))
    held = [asked["input"] for name, asked in server.asked if name == "reserve"]
    assert [command["lines"][0]["quantity"] for command in held] == [1, 2]


async def test_a_cancellation_comes_back_line_by_line_and_is_cleared() -> None:
    server = shop(A=1, B=1)
    figures = await played(
        server, line("C1", "A", 2, comes_back=True), line("C1", "B", 3, comes_back=True)
    )
    assert [name for name, _ in server.asked] == ["return", "move", "return", "move"]
    assert server.available == {("A", "LON"): 3, ("B", "LON"): 4}
    assert figures.units == {Kind.RETURN: 5, Kind.CLEAR: 5}


async def test_short_lines_are_dropped_at_once_and_the_rest_is_sold() -> None:
    server = shop(A=1, B=0, C=9, D=2)
    figures = await played(server, *(line("1", sku, 3) for sku in "ABCD"))
    assert [name for name, _ in server.asked].count("reserve") == 2
    assert server.delivered == {("C", "LON"): 3}
    assert figures.endings == {Ending.DELIVERED_SHORT: 1}
    assert (figures.dropped_lines, figures.dropped_units) == (3, 9)
    assert figures.refusals == {(Call.RESERVE, "INSUFFICIENT_STOCK"): 1}


async def test_the_named_line_is_dropped_although_the_levels_lag_behind() -> None:
    server = shop(A=9, B=1)
    server.answers[AVAILABLE.document] = lambda asked: {
        "edges": [{"node": {"available": 99, "sku": {"code": sku}}} for sku in asked["skus"]]
    }
    figures = await played(server, line("1", "A", 3), line("1", "B", 3))
    assert server.delivered == {("A", "LON"): 3}
    assert len(server.ids("reserve")) == 2
    assert figures.endings == {Ending.DELIVERED_SHORT: 1}


async def test_an_invoice_that_others_keep_outrunning_is_tried_alone() -> None:
    server = shop(A=100, **{f"S{number}": 9 for number in range(8)})
    under_way: list[bytes] = []

    async def crowded(body: bytes) -> Sent:
        """Refuses an order of several lines whenever another order is being reserved."""
        if b"reserveStock" not in body:
            return await server.send(body)
        under_way.append(body)
        await asyncio.sleep(0)
        alone = len(under_way) == 1
        under_way.remove(body)
        lines = json.loads(body)["variables"]["input"]["lines"]
        if alone or len(lines) == 1:
            return await server.send(body)
        short = refused("INSUFFICIENT_STOCK", sku=lines[0]["sku"])
        return Sent(200, json.dumps({"data": {"answer": short}}).encode())

    big = [line("1", f"S{number}", 1) for number in range(8)]
    small = [line(str(number), "A", 1, minute=1) for number in range(2, 60)]
    playing = Playing(4, lambda _: None)
    figures = await replay(PublicApi(crowded), in_time_order([*big, *small]), playing)
    assert figures.endings == {Ending.DELIVERED: 58, Ending.DELIVERED_SHORT: 1}
    assert figures.dropped_lines == ROUNDS_AMONG_OTHERS


async def test_an_invoice_with_nothing_left_is_refused() -> None:
    server = shop(A=1)
    figures = await played(server, line("1", "A", 3))
    assert figures.endings == {Ending.REFUSED: 1}
    assert (figures.dropped_lines, figures.dropped_units) == (1, 3)
    assert server.available == {("A", "LON"): 1}


async def test_a_line_that_stays_short_ends_in_bounded_rounds() -> None:
    server = shop(**{f"S{number}": 9 for number in range(20)})
    server.answers[RESERVE.document] = lambda asked: refused(
        "INSUFFICIENT_STOCK", sku=asked["input"]["lines"][0]["sku"]
    )
    figures = await played(server, *(line("1", f"S{number}", 1) for number in range(20)))
    assert figures.endings == {Ending.REFUSED: 1}
    assert len(server.ids("reserve")) == ROUNDS_AMONG_OTHERS + ROUNDS_ALONE


async def test_a_sku_the_server_does_not_know_is_a_counted_refusal() -> None:
    figures = await played(shop(), line("C1", "A", 3, comes_back=True))
    assert figures.refusals == {(Call.RETURN, "NOT_FOUND"): 1}
    assert figures.endings == {Ending.RETURN_REFUSED: 1}


async def test_a_replay_that_runs_again_changes_nothing() -> None:
    server = shop(A=5, B=1)
    lines = [line("1", "A", 2), line("1", "B", 3), line("C1", "A", 1, 5, comes_back=True)]
    first = await played(server, *lines)
    before = server.stock()
    again = await played(server, *lines)
    assert server.stock() == before
    assert again.units == first.units
    assert again.endings == first.endings


async def test_short_lines_that_could_be_had_now_are_not_sold_by_a_second_run() -> None:
    server = shop(A=5, B=1)
    lines = [line("1", "A", 2), line("1", "B", 3)]
    await played(server, *lines)
    server.available["B", "LON"] += 100
    again = await played(server, *lines)
    assert server.delivered == {("A", "LON"): 2}
    assert again.endings == {Ending.DELIVERED_SHORT: 1}
    assert again.dropped_units == 3


async def test_a_hold_that_expired_between_two_runs_is_made_again_under_a_new_id() -> None:
    server = shop(A=5)
    server.faults = [None, 401]
    with pytest.raises(DoorError):
        await played(server, line("1", "A", 2))
    server.expire()
    figures = await played(server, line("1", "A", 2))
    assert server.delivered == {("A", "LON"): 2}
    assert server.available == {("A", "LON"): 3}
    assert figures.lapsed_holds == 1
    assert len(set(server.ids("reserve"))) == 2


async def test_a_live_replay_keeps_its_pace() -> None:
    server = shop(A=5)
    invoices = in_time_order(line(str(number), "A", 1) for number in range(4))
    seen: list[float] = []
    pace = Playing(4, lambda figures: seen.append(figures.elapsed_seconds), per_second=40.0)
    await replay(PublicApi(server.send), invoices, pace)
    assert all(passed >= place / 40.0 for place, passed in enumerate(seen))


orders = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from("ABC"), st.integers(1, 4), st.booleans()),
    max_size=12,
)
faults = st.lists(st.sampled_from([None, None, "before", "after", 503, "BUSY", "BREAK"]))


def made(order: list[tuple[int, str, int, bool]]) -> list[Invoice]:
    """Odd invoices are sold, even ones come back."""
    return in_time_order(
        line(f"{'' if number % 2 else 'C'}{number}", sku, units, number, not number % 2)
        for number, sku, units, _ in order
    )


@given(orders, faults)
async def test_whatever_breaks_in_between_the_end_is_the_same(
    order: list[tuple[int, str, int, bool]], faults: list[str | int | None]
) -> None:
    calm, rough = shop(A=5, B=9, C=2), shop(A=5, B=9, C=2)
    playing = Playing(1, lambda _: None)
    await replay(PublicApi(calm.send), made(order), playing)
    rough.faults = [401 if fault == "BREAK" else fault for fault in faults]
    for _ in range(len(faults) + 1):
        try:
            await replay(PublicApi(rough.send, 60.0, 0.0), made(order), playing)
        except DoorError:
            continue
        break
    assert rough.stock() == calm.stock()
    assert rough.reservations.keys() == calm.reservations.keys()
