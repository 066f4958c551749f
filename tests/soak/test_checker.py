"""The checker lets true histories through, and rejects every kind of lie that it is there for."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from tests.soak.checker import check
from tests.soak.history import Balance, Call, Evidence, Place, Row, Short, Told

TEA: Place = ("TEA", "BERLIN")
CUP: Place = ("CUP", "PARIS")


def call(what: str, id: str, when: tuple[float, float | None], answer: str | None) -> Call:
    return Call(what, id, *when, answer)


def order(id: str, when: tuple[float, float | None], *told: Told, of: str = "Reservation") -> Call:
    wanted = tuple((*line.cell, line.quantity) for line in told)
    return replace(call("reserve", id, when, of), wanted=wanted, told=told)


CLEAN = Evidence(
    calls=(
        replace(call("receive", "in", (0, 1), "StockLevel"), told=(Told(TEA, 5, 1, 5),)),
        replace(call("receive", "more", (0, 1), "StockLevel"), told=(Told(CUP, 9, 1, 9),)),
        order("a", (2, 4), Told(TEA, 2, 2, 3)),
        order("b", (3, 6), Told(TEA, 3, 3, 0), Told(CUP, 1, 2, 8)),
        replace(
            call("reserve", "late", (7, 8), "InsufficientStock"),
            wanted=((*TEA, 1),),
            short=Short(*TEA, 1, 0),
        ),
        call("release", "a", (9, 10), "Reservation"),
        call("confirm", "b", (9, 10), "Reservation"),
        replace(call("deduct", "out", (11, 12), "Reservation"), reservation="b"),
        replace(call("reserve", "unknown", (13, None), None), wanted=((*TEA, 1),)),
        replace(call("reserve", "lost", (13, None), None), wanted=((*TEA, 1),)),
    ),
    rows=(
        Row(TEA, 1, 1, 5, None, "in"),
        Row(TEA, 2, 2, 2, None, "a"),
        Row(TEA, 3, 2, 3, None, "b"),
        Row(TEA, 4, 3, 2, None, "a"),
        Row(TEA, 5, 5, 3, None, "out"),
        Row(TEA, 6, 2, 1, None, "unknown"),
        Row(CUP, 1, 1, 9, None, "more"),
        Row(CUP, 2, 2, 1, None, "b"),
        Row(CUP, 3, 5, 1, None, "out"),
    ),
    balances={TEA: Balance(6, 1, 1), CUP: Balance(3, 8, 0)},
)


Change = Callable[[Evidence], Evidence]


def changed(call: Call, changes: Mapping[str, object]) -> Call:
    return replace(call, **changes)  # type: ignore[arg-type]


def told(id: str, what: str = "reserve", **changes: object) -> Change:
    """Somebody was told something else."""

    def change(evidence: Evidence) -> Evidence:
        calls = [
            changed(known, changes) if (known.id, known.what) == (id, what) else known
            for known in evidence.calls
        ]
        assert tuple(calls) != evidence.calls, "nothing was planted"
        return replace(evidence, calls=tuple(calls))

    return change


def rows(balance: Balance, *written: Row, lost: tuple[int, ...] = ()) -> Change:
    """The ledger of the tea is another: these entries instead of those at their seqs."""

    def change(evidence: Evidence) -> Evidence:
        gone = {row.seq for row in written} | set(lost)
        kept = [row for row in evidence.rows if row.cell != TEA or row.seq not in gone]
        balances = evidence.balances | {TEA: balance}
        return replace(evidence, rows=(*kept, *written), balances=balances)

    return change


AGAIN = (Row(TEA, 4, 2, 2, None, "a"), Row(TEA, 5, 5, 3, None, "out"))
FAULTS: dict[str, tuple[str, Change]] = {
    "an accepted order is lost": (
        "accepted at seq 2",
        rows(Balance(1, 5, 0), lost=(2, 3, 4, 5, 6)),
    ),
    "a line of an order is lost": ("wanted", told("b", told=(Told(TEA, 3, 3, 0),))),
    "an order is told to have ended and goes on": (
        "done all the same",
        told("b", answer="EXPIRED"),
    ),
    "an order is told to have ended and never was": (
        "nothing of it did",
        told("lost", answer="EXPIRED", returned=14.0),
    ),
    "an id is done twice": (
        "held 2 times",
        rows(Balance(6, 0, 2), Row(TEA, 1, 1, 7, None, "in"), *AGAIN),
    ),
    "goods come in twice": (
        "received 2 times",
        rows(Balance(7, 6, 1), Row(TEA, 7, 1, 5, None, "in")),
    ),
    "goods go out twice": (
        "handed over more than once",
        rows(Balance(7, 1, 0), Row(TEA, 7, 5, 1, None, "out")),
    ),
    "two seqs are swapped": (
        "accepted at seq 2",
        rows(Balance(6, 1, 1), Row(TEA, 2, 2, 3, None, "b"), Row(TEA, 3, 2, 2, None, "a")),
    ),
    "the ledger's order is not that of time": (
        "had been answered",
        told("a", invoked=6.5, returned=6.8),
    ),
    "more is held than there was": (
        "more than the stock",
        rows(Balance(6, -1, 1), Row(TEA, 1, 1, 3, None, "in")),
    ),
    "a wrong rest is told": ("told 4 left", told("a", told=(Told(TEA, 2, 2, 4),))),
    "a wrong rest is told at a receipt": (
        "told 6 left",
        told("in", "receive", told=(Told(TEA, 5, 1, 6),)),
    ),
    "sold out is said where it never was": (
        "was never true",
        told("late", invoked=11.5, returned=11.9),
    ),
    "sold out is said with a figure that never was": (
        "was never true",
        told("late", short=Short(*TEA, 9, 7)),
    ),
    "a refusal names more than was wanted": (
        "was never true",
        told("late", short=Short("TEA", None, 1, 4)),
    ),
    "a refused order is held all the same": (
        "done all the same",
        told("unknown", answer="InsufficientStock", returned=14.0, short=Short(*TEA, 1, 0)),
    ),
    "a release is lost": (
        "was not given back",
        rows(
            Balance(5, 0, 2 - 1 + 1),
            Row(TEA, 4, 5, 3, None, "out"),
            Row(TEA, 5, 1, 1, None, "in"),
            Row(TEA, 6, 2, 1, None, "unknown"),
        ),
    ),
    "a release is lost, and its hold expires later": (
        "was not given back",
        rows(
            Balance(6, 1, 1),
            Row(TEA, 4, 5, 3, None, "out"),
            Row(TEA, 5, 4, 2, None, "a"),
        ),
    ),
    "an entry that nobody asked for": (
        "nobody asked for it",
        rows(Balance(7, 2, 1), Row(TEA, 7, 1, 1, None, "stranger")),
    ),
    "a paid order expires": (
        "confirmed, and expired",
        rows(Balance(5, 4, 0), Row(TEA, 5, 4, 3, None, "b"), lost=(6,)),
    ),
    "the stored balance is another": ("stored", rows(Balance(6, 2, 1))),
    "an entry is missing": ("has seq 6", rows(Balance(6, 1, 1), lost=(5,))),
}


def test_a_true_history_is_let_through() -> None:
    assert check(CLEAN) == []
    assert check(replace(CLEAN, calls=CLEAN.calls[::-1], rows=CLEAN.rows[::-1])) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_rejected(fault: str) -> None:
    expected, change = FAULTS[fault]
    found = check(change(CLEAN))
    assert any(expected in complaint for complaint in found), found


def test_what_expired_just_before_it_was_released_was_given_back() -> None:
    assert check(rows(Balance(6, 1, 1), Row(TEA, 4, 4, 2, None, "a"))(CLEAN)) == []


def test_an_order_that_ended_before_its_answer_need_not_be_told_whole() -> None:
    ended = rows(Balance(7, 2, 0), Row(TEA, 7, 4, 1, None, "unknown"))(CLEAN)
    late = told("unknown", answer="EXPIRED", returned=14.0, wanted=((*TEA, 1), (*CUP, 1)))(ended)
    assert check(told("unknown", told=(Told(TEA, 1, 6, 1),))(late)) == []


def test_what_was_withdrawn_before_an_order_was_placed_again_is_no_effect_of_its_release() -> None:
    placed_before = rows(
        Balance(8, 1, 1),
        Row(TEA, 2, 2, 2, None, "a"),
        Row(TEA, 3, 3, 2, None, "a"),
        Row(TEA, 4, 2, 2, None, "a"),
        Row(TEA, 5, 2, 3, None, "b"),
        Row(TEA, 6, 3, 2, None, "a"),
        Row(TEA, 7, 5, 3, None, "out"),
        Row(TEA, 8, 2, 1, None, "unknown"),
    )(CLEAN)
    again = told("a", told=(Told(TEA, 2, 4, 3),))(placed_before)
    again = told("b", told=(Told(TEA, 3, 5, 0), Told(CUP, 1, 2, 8)))(again)
    assert check(again) == []


def clicked_twice(*when: float) -> Evidence:
    """Once more the order that is held, and told that there is too little of its tea."""
    late = next(call for call in CLEAN.calls if call.id == "late")
    refused = replace(late, id="b", invoked=when[0], returned=when[1], short=Short(*TEA, 9, 0))
    return replace(CLEAN, calls=(*CLEAN.calls, refused))


def test_of_two_clicks_one_may_be_refused_before_the_other_is_served() -> None:
    assert check(clicked_twice(5.9, 6.5)) == []
    assert any("done all the same" in complaint for complaint in check(clicked_twice(7, 8)))


def test_sold_out_without_a_warehouse_counts_them_all() -> None:
    late = told("late", short=Short("TEA", None, 1, 0))(CLEAN)
    assert check(late) == []
    early = told("late", invoked=1.5, returned=1.8, short=Short("TEA", None, 1, 0))(CLEAN)
    assert any("was never true" in complaint for complaint in check(early))
