"""A pair moves to a seat of its own when it has been hot for long enough, and back when it has been
cool for long enough: a table of seconds."""

import pytest

from domain.commands import CellKey
from domain.heat import NEVER, Bounds, SeatReason, Warmth, judge

TEA = CellKey("TEA", "BERLIN")
CUP = CellKey("CUP", "BERLIN")
BOUNDS = Bounds(per_second=500, hot_seconds=3, cool_seconds=30, seats=2)


def shared(all_of_it: float | None, *busiest: tuple[CellKey, float]) -> Warmth:
    return Warmth("shared-0", SeatReason.SHARED, (), all_of_it, busiest)


def own(cell: CellKey, rate: float | None, reason: SeatReason = SeatReason.HOT) -> Warmth:
    told = () if rate is None else ((cell, rate),)
    return Warmth(f"{reason}-{cell.sku}", reason, (cell,), rate, told)


def seen(text: str, seat: Warmth) -> list[str]:
    """What is done in each of these looks: the seconds at which there is one, and between them
    what the seat tells from then on: commands per second of all and of TEA, or - for nothing."""
    done = []
    since = NEVER
    for word in text.split():
        if "/" in word:
            rate, everything = (float(each) for each in word.split("/"))
            seat = seat._replace(per_second=everything, busiest=((TEA, rate),))
        elif word == "-":
            seat = seat._replace(per_second=None, busiest=())
        else:
            since, moves = judge(since, [seat], float(word), BOUNDS)
            done += [f"{word} up {cell.sku}" for cell in moves.promote]
            done += [f"{word} down {name}" for name in moves.demote]
    return done


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("500/999 0 1 2.9 3", ["3 up TEA"]),
        ("500/1000 0 9", []),  # no more than half
        ("499/499 0 9", []),  # all of it, and little
        ("900/1000 0 2 300/1000 2.5 900/1000 3 5.9", []),  # a break begins it anew
        ("900/1000 0 2 300/1000 2.5 900/1000 3 6", ["6 up TEA"]),
        ("900/1000 0 - 1 900/1000 3", []),
        ("900/1000 5", []),
    ],
)
def test_a_pair_is_promoted_when_it_has_been_hot_for_long_enough(
    text: str, done: list[str]
) -> None:
    assert seen(text, shared(0)) == done


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("99/99 0 29 30", ["30 down hot-TEA"]),
        ("100/100 0 90", []),  # between cool and hot it stays where it is
        ("99/99 0 20 100/100 21 99/99 22 51", []),
        ("- 0 30", ["30 down hot-TEA"]),  # nobody there to tell
        ("9000/9000 0 90", []),
    ],
)
def test_a_pair_is_demoted_when_it_has_been_cool_for_long_enough(
    text: str, done: list[str]
) -> None:
    assert seen(text, own(TEA, 0)) == done


def ripe(*seats: Warmth, bounds: Bounds = BOUNDS) -> list[CellKey]:
    since, _ = judge(NEVER, seats, 0, bounds)
    return judge(since, seats, 3, bounds)[1].promote


POT = CellKey("POT", "BERLIN")
JAR = CellKey("JAR", "BERLIN")


def test_only_so_many_pairs_are_promoted_the_hottest_first() -> None:
    hot = [shared(900, (cell, rate)) for cell, rate in ((TEA, 600), (CUP, 800), (POT, 700))]
    assert ripe(*hot) == [CUP, POT]
    assert ripe(*hot, own(JAR, 900)) == [CUP]
    assert ripe(*hot, own(JAR, 900), bounds=BOUNDS._replace(seats=0)) == []


@pytest.mark.parametrize("reason", [SeatReason.SALE, SeatReason.PLACED])
def test_a_pair_that_was_placed_by_somebody_stays_there(reason: SeatReason) -> None:
    assert ripe(own(TEA, 900, reason), shared(900, (TEA, 900))) == []
    since, _ = judge(NEVER, [own(TEA, 0, reason)], 0, BOUNDS)
    assert judge(since, [own(TEA, 0, reason)], 99, BOUNDS)[1].demote == []


def test_a_promoted_seat_that_lost_its_pair_to_a_sale_is_left_to_be_dropped() -> None:
    empty = own(TEA, 0)._replace(cells=())
    since, _ = judge(NEVER, [empty], 0, BOUNDS)
    assert judge(since, [empty], 99, BOUNDS)[1].demote == []
