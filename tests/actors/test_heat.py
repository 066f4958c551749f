"""An owner counts what it is asked, and of which cells, in windows of a second."""

from datetime import timedelta

from actors.heat import Heat
from domain.commands import Draw, Receive
from tests.actors.world import BERLIN, CUP, NOON, PARIS, ROME, ask, receive, rid

DRAW = Draw(rid(1), 1, NOON, "sale:1", None, NOON, NOON + timedelta(hours=1))


class Watch:
    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


def test_the_busiest_cells_of_a_second_are_told_when_it_is_over() -> None:
    watch = Watch()
    heat = Heat(watch)
    heat.count(
        [receive(n, 1) for n in range(6)] + [ask(9, (CUP, Receive(1)), (BERLIN, Receive(1)))]
    )
    assert heat.as_dict() == {"commands_per_second": 0.0, "busiest_cells": []}
    watch.seconds += 2
    told = {"commands_per_second": 4.0, "busiest_cells": [(*BERLIN, 3.5), (*CUP, 0.5)]}
    assert heat.as_dict() == told
    watch.seconds += 0.9
    assert heat.as_dict() == told
    watch.seconds += 0.1
    assert heat.as_dict() == {"commands_per_second": 0.0, "busiest_cells": []}


def test_only_a_few_cells_are_told() -> None:
    watch = Watch()
    heat = Heat(watch)
    heat.count([ask(n, (c, Receive(1))) for n, c in enumerate((BERLIN, CUP, PARIS, ROME), 1)])
    watch.seconds += 1
    assert len(heat.as_dict()["busiest_cells"]) == 3


def test_draws_on_a_sale_are_counted_and_warm_no_cell() -> None:
    watch = Watch()
    heat = Heat(watch)
    heat.count([ask(n, (BERLIN, DRAW)) for n in range(3)])
    watch.seconds += 1
    assert heat.as_dict() == {"commands_per_second": 3.0, "busiest_cells": []}
