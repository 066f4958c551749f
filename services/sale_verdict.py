"""Whether a flash sale was right: what the buyers were told against the books of the server.

It does not know how the server works: it adds up ledgers and answers, and believes neither alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.ledger import Kind
from domain.states import ReservationState as State
from services.door import Holding
from services.sale_door import CellBooks
from services.sale_history import ACCEPTED, UNKNOWN, Case, Did

SOLD = (State.CONFIRMED, State.DEDUCTED)
LIVING = (State.HELD, *SOLD)
TOLD_LIMIT = 5
"""Faults of one kind that are told word by word."""
STEPS = {
    Kind.ALLOT: (1, 0),
    Kind.UNALLOT: (-1, 0),
    Kind.RESERVE: (-1, 1),
    Kind.RELEASE: (1, -1),
    Kind.EXPIRE: (1, -1),
    Kind.DEDUCT: (0, 0),
}
"""What a movement of the sale's pool does to what is left and to what is taken."""


class Fault(StrEnum):
    OVERSOLD = "oversold"
    LIMIT_BROKEN = "limit broken"
    LOST = "accepted and lost"
    CHANGED = "one id, two answers"
    BOOKS = "books that do not add up"


class Found(NamedTuple):
    """What the server says at the end: the holding of each id that may have one, and the books of
    each of the sale's cells."""

    holdings: Mapping[UUID, Holding | None]
    cells: Sequence[CellBooks]


class Terms(NamedTuple):
    pool: str
    units: int
    limit: int | None
    ttl_seconds: float


class Verdict(NamedTuple):
    sold: int
    held: int
    left: int
    faults: Mapping[Fault, list[str]]

    @property
    def is_clean(self) -> bool:
        return not any(self.faults.values())


def judge(terms: Terms, cases: Iterable[Case], found: Found) -> Verdict:
    listed = list(cases)
    faults: dict[Fault, list[str]] = {fault: [] for fault in Fault}
    left, taken = folded(terms, found.cells, faults)
    living = [
        (case, holding)
        for case in listed
        if (holding := found.holdings.get(case.buyer.reservation)) and holding.state in LIVING
    ]
    sold = sum(holding.units for _, holding in living if holding.state in SOLD)
    held = sum(holding.units for _, holding in living if holding.state is State.HELD)
    if sold + held > terms.units:
        faults[Fault.OVERSOLD].append(f"{sold + held} of {terms.units} units have a buyer")
    if sold + held != taken:
        faults[Fault.BOOKS].append(f"buyers have {sold + held} units, the ledger says {taken}")
    if sold + held + left != terms.units:
        faults[Fault.BOOKS].append(f"{sold} sold, {held} held, {left} left of {terms.units}")
    for case in listed:
        holding = found.holdings.get(case.buyer.reservation)
        faults[Fault.LOST] += lost(case, holding)
        faults[Fault.CHANGED] += changed(case)
    faults[Fault.LIMIT_BROKEN] += over_limit(terms, listed, found.holdings)
    return Verdict(sold, held, left, faults)


def folded(
    terms: Terms, cells: Sequence[CellBooks], faults: dict[Fault, list[str]]
) -> tuple[int, int]:
    """What is left of the pool (also where it went back to the open one), and what is taken."""
    all_left = all_taken = 0
    for place, cell in enumerate(cells):
        left = taken = back = 0
        for movement in cell.movements:
            if movement.pool != terms.pool or movement.kind not in STEPS:
                continue
            to_left, to_taken = STEPS[Kind(movement.kind)]
            left += to_left * movement.quantity
            taken += to_taken * movement.quantity
            back += movement.quantity if movement.kind == Kind.UNALLOT else 0
            if left < 0:
                faults[Fault.OVERSOLD].append(f"cell {place}: {-left} too many at {movement.seq}")
        last = cell.movements[-1].seq if cell.movements else 0
        pooled = cell.on_hand - cell.available - cell.reserved
        if last != cell.seq or pooled != left or cell.reserved < 0:
            told = f"level {cell.available}/{cell.reserved}/{cell.on_hand} at {cell.seq}"
            faults[Fault.BOOKS].append(f"cell {place}: {told}, ledger {left}/{taken} at {last}")
        all_left += left + back
        all_taken += taken
    return all_left, all_taken


def lost(case: Case, holding: Holding | None) -> list[str]:
    """What was said yes to, and is not there."""
    name = f"{case.buyer.customer} {case.buyer.reservation}"
    if case.accepted(Did.RESERVE) is None:
        return []
    if holding is None:
        return [f"{name}: reserved, and nobody knows it"]
    if holding.units != case.buyer.units:
        return [f"{name}: {case.buyer.units} reserved, {holding.units} there"]
    if case.accepted(Did.CONFIRM) is not None and holding.state not in SOLD:
        return [f"{name}: paid, and is {holding.state.value}"]
    asked_back = bool(case.of(Did.RELEASE))
    if holding.state is State.RELEASED and not asked_back:
        return [f"{name}: released by nobody"]
    return []


def changed(case: Case) -> list[str]:
    """A yes that a later question with the same id took back."""
    yes = case.accepted(Did.RESERVE)
    if yes is None:
        return []
    later = (told for told in case.of(Did.RESERVE) if told.began >= yes.ended)
    codes = {told.code for told in later} - {ACCEPTED, UNKNOWN}
    return [f"{case.buyer.reservation}: accepted, then {code}" for code in sorted(codes)]


def over_limit(
    terms: Terms, cases: Sequence[Case], holdings: Mapping[UUID, Holding | None]
) -> list[str]:
    """Customers who had more at once than the limit: from when they were told of a unit until they
    asked to give it back, or its time was up."""
    if terms.limit is None:
        return []
    changes: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for case in cases:
        holding = holdings.get(case.buyer.reservation)
        yes = case.accepted(Did.RESERVE)
        if yes is None or holding is None:
            continue
        changes[case.buyer.customer].append((yes.ended, holding.units))
        if (ends := certain_until(terms, case, holding.state)) is not None:
            changes[case.buyer.customer].append((max(ends, yes.ended), -holding.units))
    had = {customer: highest(listed) for customer, listed in changes.items()}
    living: Counter[str] = Counter()
    for case in cases:
        holding = holdings.get(case.buyer.reservation)
        if holding is not None and holding.state in LIVING:
            living[case.buyer.customer] += holding.units
    most = {name: max(had.get(name, 0), living[name]) for name in had.keys() | living.keys()}
    return [f"{name}: {n} of {terms.limit}" for name, n in sorted(most.items()) if n > terms.limit]


def certain_until(terms: Terms, case: Case, state: State) -> float | None:
    """The last moment at which the units were certainly theirs; None: they still are."""
    if state in LIVING:
        return None
    released = [told.began for told in case.of(Did.RELEASE)]
    expired = [told.began + terms.ttl_seconds for told in case.of(Did.RESERVE)]
    return min(released + expired)


def highest(changes: Sequence[tuple[float, int]]) -> int:
    """What goes at a moment goes before what comes."""
    total = most = 0
    for _, units in sorted(changes):
        total += units
        most = max(most, total)
    return most
