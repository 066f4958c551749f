"""Drawing on a sale: tables for the rules, and a random crowd against a model written apart."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cell import Cell, Change, Tally
from domain.commands import CellKey, Draw, Line, Release, Request
from domain.decisions import QUANTITY_LIMIT, decide
from domain.draws import Candidate, decide_draw, given_back
from domain.ledger import Note
from tests.domain.sale_world import HOUR, POOL, TTL, Sale, tell
from tests.domain.story import id_of
from tests.domain.world import START

CROWDS = settings(max_examples=250, derandomize=True, database=None, deadline=None)


def test_the_first_cell_that_has_all_gives_it_and_only_then_it_is_split() -> None:
    sale = Sale(None, TEA_BER=3, TEA_PAR=5)
    tell(
        sale,
        """
        ann D1 2 TEA    -> TEA BER 2
        bob D2 4 TEA    -> TEA PAR 4
        cid D3 2 TEA    -> TEA BER 1, TEA PAR 1
        dan D4 1 TEA    -> short TEA 1 0
        """,
    )


def test_all_skus_or_none() -> None:
    sale = Sale(3, TEA_BER=3, CUP_BER=1)
    tell(
        sale,
        """
        ann D1 1 TEA, 1 CUP   -> TEA BER 1, CUP BER 1
        bob D2 1 TEA, 1 CUP   -> short CUP 1 0
        bob D3 2 TEA          -> TEA BER 2
        """,
    )


def test_the_limit_is_for_all_reservations_and_skus_of_a_customer() -> None:
    sale = Sale(3, TEA_BER=9, CUP_BER=9)
    tell(
        sale,
        """
        ann D1 2 TEA          -> TEA BER 2
        ann D2 1 TEA, 1 CUP   -> limit 2 of 3
        bob D3 1 TEA, 2 CUP   -> TEA BER 1, CUP BER 2
        bob D4 1 CUP          -> limit 3 of 3
        ann D5 1 CUP          -> CUP BER 1
        """,
    )


@pytest.mark.parametrize("end", ["release", "withdraw"])
def test_what_is_given_back_counts_no_more(end: str) -> None:
    sale = Sale(3, TEA_BER=2, TEA_PAR=2)
    tell(
        sale,
        f"""
        ann D1 3 TEA   -> TEA BER 2, TEA PAR 1
        ann D2 1 TEA   -> limit 3 of 3
        {end} D1       ->
        {end} D1       ->
        ann D3 2 TEA   -> TEA BER 2
        ann D4 2 TEA   -> limit 2 of 3
        """,
    )
    assert sale.tally.taken == {"ann": 2}


def test_an_expired_hold_gives_back_what_was_not_handed_over_and_in_its_time() -> None:
    sale = Sale(2, TEA_BER=4)
    tell(
        sale,
        """
        ann D1 2 TEA   -> TEA BER 2
        expire D1      ->
        ann D2 1 TEA   -> limit 2 of 2
        tick 10m       ->
        expire D1      ->
        ann D3 1 TEA   -> TEA BER 1
        """,
    )


def test_the_window_is_open_from_its_first_instant_to_before_its_last() -> None:
    sale = Sale(1, TEA_BER=9)
    sale.now -= timedelta(minutes=1)
    tell(
        sale,
        """
        ann D1 1 TEA   -> not yet
        tick 1m        ->
        ann D1 1 TEA   -> TEA BER 1
        tick 59m       ->
        bob D2 1 TEA   -> TEA BER 1
        tick 1m        ->
        cid D3 1 TEA   -> over
        """,
    )


def test_a_ticket_lets_in_one_reservation() -> None:
    sale = Sale(9, TEA_BER=9)
    tell(
        sale,
        """
        ann D1 1 TEA with T1    -> TEA BER 1
        ann D2 1 TEA with T1    -> ticket
        ann D3 1 TEA with T2    -> TEA BER 1
        ann D1 1 TEA with T1    -> conflict
        ann D4 99 TEA with T1   -> ticket
        """,
    )


def test_a_pool_that_is_no_sales_knows_no_tickets() -> None:
    cell = Cell(CellKey("TEA", "BER"), START, pools={"web": 2})
    tally = Tally(tickets={id_of("T1"): id_of("D1")})
    draw = Draw(id_of("D2"), 1, START + TTL, "web", None, START, START + HOUR, id_of("T1"))
    assert isinstance(decide_draw([Candidate(cell, draw)], tally, None, START), list)


def test_guards_come_in_the_order_of_the_refusals() -> None:
    sale = Sale(2, TEA_BER=1)
    tell(
        sale,
        f"""
        ann D1 1 TEA with T1    -> TEA BER 1
        tick 60m                ->
        - D1 0 TEA with T1      -> invalid quantity
        - D1 1 TEA              -> invalid customer
        ann D2 {QUANTITY_LIMIT + 1} TEA  -> invalid quantity
        ann D1 9 TEA with T1    -> conflict
        ann D2 9 TEA with T1    -> over
        tick -1m                ->
        ann D2 9 TEA with T1    -> ticket
        ann D2 9 TEA with T2    -> limit 1 of 2
        ann D2 1 TEA with T2    -> short TEA 1 0
        """,
    )


def test_without_a_limit_nobody_has_to_say_who_they_are() -> None:
    sale = Sale(None, TEA_BER=2)
    tell(
        sale,
        """
        - D1 1 TEA     -> TEA BER 1
        release D1     ->
        - D2 2 TEA     -> TEA BER 2
        """,
    )
    assert sale.tally.taken == {}
    assert list(sale.tally.drawn) == [id_of("D1"), id_of("D2")]


def test_only_the_end_of_a_hold_gives_back_to_a_sale() -> None:
    sale = Sale(2, TEA_BER=2)
    sale.draw("D1", "ann", None, ("TEA", 1))
    (cell,) = sale.cells.values()
    hold = cell.holds[id_of("D1")]
    end = decide(cell, Release(id_of("D1")), id_of("D1"), START)
    assert isinstance(end, Change)
    assert given_back(hold, end.entry)
    assert not given_back(None, end.entry)
    assert not given_back(hold, None)
    assert not given_back(hold._replace(pool="web"), end.entry)


names = st.sampled_from([f"D{n}" for n in range(6)])
asks = st.tuples(st.sampled_from("ab"), names, st.integers(1, 3))
ends = st.tuples(st.just("end"), names, st.just(0))


@CROWDS
@given(limit=st.integers(1, 4), life=st.lists(st.one_of(asks, ends), min_size=10, max_size=30))
def test_a_crowd_never_gets_more_than_the_stock_or_the_limit(
    limit: int, life: list[tuple[str, str, int]]
) -> None:
    sale = Sale(limit, TEA_BER=3, TEA_PAR=2)
    stock = 5
    has: Counter[str] = Counter()
    open_ones: dict[str, tuple[str, int]] = {}
    used: set[str] = set()
    for who, name, units in life:
        if who == "end":
            sale.end(name, "release")
            if name in open_ones:
                customer, given = open_ones.pop(name)
                has[customer] -= given
                stock += given
            continue
        answer = sale.draw(name, who, None, ("TEA", units))
        expected = name not in used and has[who] + units <= limit and units <= stock
        assert isinstance(answer, list) == expected, answer
        if expected:
            used.add(name)
            open_ones[name] = (who, units)
            has[who] += units
            stock -= units
        assert sum(cell.in_pool(POOL) for cell in sale.cells.values()) == stock >= 0
        assert sale.tally.taken == +has
        assert all(taken <= limit for taken in has.values())


def test_a_draw_is_asked_of_its_anchors_owner() -> None:
    giving, anchor = CellKey("TEA", "PAR"), CellKey("TEA", "BER")
    command = Draw(id_of("D1"), 1, START + TTL, POOL, None, START, START + HOUR)
    request = Request(id_of("D1"), 0, anchor, (Line(giving, command),), Note("ann"))
    assert request.at == (anchor,)
