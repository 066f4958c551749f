"""What the buyers of a flash sale were told, call by call, and how long it took."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

from services.sale_buyers import Buyer

ACCEPTED = "accepted"
UNKNOWN = "no answer"


class Did(StrEnum):
    JOIN = "join"
    WAIT = "ticket (query)"
    RESERVE = "reserve"
    CONFIRM = "confirm"
    RELEASE = "release"


class Told(NamedTuple):
    """One answer: ACCEPTED, UNKNOWN or the code of a refusal. Times are those of one clock."""

    did: Did
    code: str
    began: float
    ended: float


@dataclass(slots=True)
class Case:
    """One buyer and the answers that concern their reservation."""

    buyer: Buyer
    told: list[Told] = field(default_factory=list)

    def of(self, did: Did) -> list[Told]:
        return [told for told in self.told if told.did is did]

    def accepted(self, did: Did) -> Told | None:
        return next((told for told in self.of(did) if told.code == ACCEPTED), None)


@dataclass(slots=True)
class History:
    """`gone` counts how buyers ended who never reserved: told sold out while they waited..."""

    cases: dict[UUID, Case] = field(default_factory=dict)
    seconds: defaultdict[tuple[Did, str], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    gone: Counter[str] = field(default_factory=Counter)
    arrived: int = 0
    ended: int = 0
    began: float = field(default_factory=perf_counter)

    def case(self, buyer: Buyer) -> Case:
        return self.cases.setdefault(buyer.reservation, Case(buyer))

    def note(self, case: Case | None, did: Did, code: str, began: float) -> None:
        told = Told(did, code, began, perf_counter())
        self.seconds[did, code].append(told.ended - began)
        if case is not None:
            case.told.append(told)

    @property
    def accepted(self) -> int:
        return sum(case.accepted(Did.RESERVE) is not None for case in self.cases.values())

    @property
    def answers(self) -> int:
        return sum(map(len, self.seconds.values()))


def percentile_ms(seconds: list[float], share: float) -> float:
    took = sorted(seconds)
    return took[min(int(len(took) * share), len(took) - 1)] * 1000
