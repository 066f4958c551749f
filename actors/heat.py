"""How much an owner is asked, and which of its cells most: counted in windows of about a second."""

from collections import Counter
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from domain.commands import CellKey, Draw, Request

WINDOW_SECONDS = 1.0
BUSIEST = 3
"""Cells that are told."""


class Heat:
    """A draw on a flash sale warms no cell: sales have seats of their own."""

    def __init__(self, time: Callable[[], float] = monotonic) -> None:
        self.time = time
        self.began = time()
        self.all = 0
        self.cells: Counter[CellKey] = Counter()
        self.told: dict[str, Any] = {"commands_per_second": 0.0, "busiest_cells": []}

    def count(self, requests: Iterable[Request]) -> None:
        lines = [line for request in requests for line in request.lines]
        self.all += len(lines)
        self.cells.update([cell for cell, command in lines if type(command) is not Draw])
        self.turn()

    def as_dict(self) -> dict[str, Any]:
        self.turn()
        return self.told

    def turn(self) -> None:
        """Begins a new window if this one is over, and tells what it held."""
        passed = self.time() - self.began
        if passed < WINDOW_SECONDS:
            return
        self.told = {
            "commands_per_second": self.all / passed,
            "busiest_cells": [(*cell, n / passed) for cell, n in self.cells.most_common(BUSIEST)],
        }
        self.began += passed
        self.all = 0
        self.cells.clear()
