"""What a replay measures and counts: time per kind of call, refusals, units and invoices."""

from collections import Counter, defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import TypeVar

from domain.ledger import Kind
from services.door import Refused

T = TypeVar("T")


class Call(StrEnum):
    RESERVE = "reserve"
    CONFIRM = "confirm"
    DEDUCT = "deduct"
    RETURN = "return"
    CLEAR = "clear"
    LEVELS = "levels (query)"
    HOLDING = "reservation (query)"


QUERIES = (Call.LEVELS, Call.HOLDING)


class Ending(StrEnum):
    """How an invoice ended; each ends once."""

    DELIVERED = "delivered"
    DELIVERED_SHORT = "delivered without its short lines"
    REFUSED = "refused"
    RETURNED = "taken back"
    RETURN_REFUSED = "not wholly taken back"


@dataclass(slots=True)
class Figures:
    """`units` are those of accepted answers, also where a repeated call got its first answer."""

    seconds: defaultdict[Call, list[float]] = field(default_factory=lambda: defaultdict(list))
    refusals: Counter[tuple[Call, str]] = field(default_factory=Counter)
    units: Counter[Kind] = field(default_factory=Counter)
    endings: Counter[Ending] = field(default_factory=Counter)
    input_lines: int = 0
    dropped_lines: int = 0
    dropped_units: int = 0
    lapsed_holds: int = 0
    elapsed_seconds: float = 0.0

    async def timed(self, call: Call, answer: Awaitable[T]) -> T:
        """Waits for the answer, repeats after outages included, and counts a refusal."""
        began = perf_counter()
        got = await answer
        self.seconds[call].append(perf_counter() - began)
        if isinstance(got, Refused):
            self.refusals[call, got.code] += 1
        return got

    @property
    def invoices(self) -> int:
        return self.endings.total()

    @property
    def mutations(self) -> int:
        return sum(len(took) for call, took in self.seconds.items() if call not in QUERIES)

    def percentile_ms(self, call: Call, share: float) -> float:
        """The time within which `share` (0 to 1) of the calls were answered."""
        took = sorted(self.seconds[call])
        return took[min(int(len(took) * share), len(took) - 1)] * 1000 if took else 0.0
