"""The checker's eye on flash sales: true ones pass, and every promise that is broken is told."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from tests.soak.checker import check
from tests.soak.history import Balance, Call, Evidence, Over, Place, Row, Sale, Short, Told

TEA: Place = ("TEA", "BERLIN")
FAR: Place = ("TEA", "PARIS")
POOL = "sale:1"
LIMIT = 3
ALLOTTED, UNALLOTTED = 24, 25
Change = Callable[[Evidence], Evidence]


def changed(call: Call, changes: Mapping[str, object]) -> Call:
    return replace(call, **changes)  # type: ignore[arg-type]


def draw(id: str, when: float, told: Told | None, **more: object) -> Call:
    """By bob, with a ticket of its own, for two units unless told otherwise."""
    call = Call("reserve", id, when, when + 0.5, "Reservation" if told else None)
    about: dict[str, object] = {
        "wanted": (("TEA", None, 2),),
        "told": (told,) if told else (),
        "customer": "bob",
        "pool": POOL,
        "ticket": f"ticket of {id}",
    }
    return changed(call, {**about, **more})


def received(id: str, cell: Place) -> Call:
    return replace(Call("receive", id, 0, 1, "StockLevel"), told=(Told(cell, 9, 1, 9),))


def joined(customer: str, place: int) -> Call:
    return replace(Call("join", "1", 2, 2.5, "Ticket"), customer=customer, pool=POOL, place=place)


def limited(id: str, when: float, had: int) -> Call:
    return draw(id, when, None, answer="LimitReached", over=Over(LIMIT, had))


TRUE = Evidence(
    calls=(
        received("in", TEA),
        received("far", FAR),
        Call("sale", "1", 1, 2, "FlashSale"),
        joined("bob", 1),
        joined("bob", 1),
        joined("eve", 2),
        draw("a", 3, Told(TEA, 2, 3, 4)),
        limited("greedy", 3.6, 2),
        Call("release", "a", 4, 4.5, "Reservation"),
        draw("b", 5, Told(TEA, 2, 5, 4)),
        draw("unknown", 6, None, customer="eve", returned=None),
        draw("late", 7, None, answer="InsufficientStock", short=Short("TEA", None, 9, 4)),
    ),
    rows=(
        Row(TEA, 1, 1, 9, None, "in", 1),
        Row(FAR, 1, 1, 9, None, "far", 1),
        Row(TEA, 2, ALLOTTED, 6, POOL, "step", 2),
        Row(FAR, 2, ALLOTTED, 2, POOL, "another step", 2),
        Row(TEA, 3, 2, 2, POOL, "a", 3),
        Row(TEA, 4, 3, 2, POOL, "a", 4),
        Row(TEA, 5, 2, 2, POOL, "b", 5),
        Row(FAR, 3, 2, 2, POOL, "unknown", 6),
        Row(TEA, 6, UNALLOTTED, 4, POOL, "last step", 9),
    ),
    balances={TEA: Balance(6, 7, 2), FAR: Balance(3, 7, 2)},
    sales=(Sale(POOL, LIMIT, 3, 8, {TEA: 6, FAR: 2}, is_agreed=True, is_over=True),),
)


def heard(id: str, **changes: object) -> Change:
    """The order's buyer was told, or did, something else."""

    def change(evidence: Evidence) -> Evidence:
        calls = tuple(
            changed(call, changes) if (call.what, call.id) == ("reserve", id) else call
            for call in evidence.calls
        )
        assert calls != evidence.calls, "nothing was planted"
        return replace(evidence, calls=calls)

    return change


def written(*rows: Row, lost: tuple[tuple[Place, int], ...] = ()) -> Change:
    """These entries instead of those at their seqs."""

    def change(evidence: Evidence) -> Evidence:
        gone = {(row.cell, row.seq) for row in rows} | set(lost)
        kept = tuple(row for row in evidence.rows if (row.cell, row.seq) not in gone)
        return replace(evidence, rows=kept + rows)

    return change


def agreed(**changes: object) -> Change:
    """The sale is another."""

    def change(evidence: Evidence) -> Evidence:
        sale = evidence.sales[0]._replace(**changes)  # type: ignore[arg-type]
        return replace(evidence, sales=(sale,))

    return change


def more(*calls: Call) -> Change:
    return lambda evidence: replace(evidence, calls=evidence.calls + calls)


def sold_out_at(when: float) -> Change:
    """Four of six units were left until a's came back, half a second after 4."""
    return heard("late", invoked=when, returned=when + 0.05, short=Short("TEA", None, 5, 4))


BEFORE = Row(TEA, 4, 2, 2, POOL, "b", 4), Row(TEA, 5, 3, 2, POOL, "a", 5)
FAULTS: dict[str, tuple[str, Change]] = {
    "somebody has more than the limit": ("bob has 4 of sale:1", written(*BEFORE)),
    "over two cells somebody has more than the limit": (
        "bob has 4 of sale:1",
        heard("unknown", customer="bob"),
    ),
    "a limit is told that the sale does not have": (
        "was never true of bob",
        heard("greedy", over=Over(2, 2)),
    ),
    "the limit is told to who had nothing like it": (
        "was never true of bob",
        heard("greedy", over=Over(LIMIT, 3)),
    ),
    "the limit is told to who is not over it": (
        "was never true of bob",
        heard("greedy", wanted=(("TEA", None, 1),)),
    ),
    "less is set aside than was agreed": (
        "was agreed",
        agreed(allotments={TEA: 7, FAR: 2}),
    ),
    "it is set aside twice": (
        "was agreed",
        written(
            Row(TEA, 7, ALLOTTED, 6, POOL, "step", 9), Row(TEA, 8, UNALLOTTED, 6, POOL, "x", 9)
        ),
    ),
    "what is left stays away": ("never given back", written(lost=((TEA, 6),))),
    "it sells before it opens": ("sells from", agreed(opens=4)),
    "it sells when it has closed": ("sells from", agreed(closes=5)),
    "two customers have one place": ("have place 2 together", more(joined("tom", 2))),
    "a ticket lets in two": ("let in all", heard("b", ticket="ticket of a")),
    "a sale that nobody held": ("nobody held such a sale", agreed(pool="sale:2")),
    "sold out is said long after units came back": ("was never true", sold_out_at(4.9)),
}


def test_a_true_sale_is_let_through() -> None:
    assert check(TRUE) == []
    assert check(replace(TRUE, calls=TRUE.calls[::-1], rows=TRUE.rows[::-1])) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_promise_is_told(fault: str) -> None:
    expected, change = FAULTS[fault]
    found = check(change(TRUE))
    assert any(expected in complaint for complaint in found), found


def test_the_limit_may_be_reached_to_the_last_unit() -> None:
    found = check(agreed(limit=4)(written(*BEFORE)(TRUE)))
    assert not any("bob has" in complaint for complaint in found)


def test_sold_out_may_be_said_from_memory_for_a_moment() -> None:
    assert check(sold_out_at(4.6)(TRUE)) == []
