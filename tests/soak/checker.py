"""Did the shop keep its word? Histories of all clients and the ledger in, complaints out. Pure, of
the standard library alone, and written apart from the domain: it would not share its mistakes."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf
from typing import NamedTuple

from tests.soak.cells import DEDUCTED, EXPIRED, RECEIVED, RELEASED, RESERVED, Folded
from tests.soak.history import ENDED, HELD, Call, Evidence, Place, Row, Short
from tests.soak.sales import SET_ASIDE, broken_sales

LEVEL = "StockLevel"
SHORT = "InsufficientStock"
ENDS = (RELEASED, EXPIRED)
MARK = {"reserve": RESERVED, "release": RELEASED, "deduct": DEDUCTED, "receive": RECEIVED}
"""The movement that is the effect of what a client can ask for."""
REMEMBERED_SECONDS = 0.2
"""So long a sale that was sold out may be called so: its refusals may come from memory."""


class Effect(NamedTuple):
    """An entry that a client caused, between these two moments."""

    invoked: float
    returned: float
    seq: int
    id: str


class Timeline:
    """The effects in one cell, asked by moment."""

    def __init__(self, effects: Sequence[Effect]) -> None:
        self.effects = sorted(effects)
        by_end = sorted(effects, key=lambda effect: effect.returned)
        self.starts = [effect.invoked for effect in self.effects]
        self.ends = [effect.returned for effect in by_end]
        self.newest = list(accumulate((effect.seq for effect in by_end), max))
        self.oldest = list(accumulate((effect.seq for effect in reversed(self.effects)), min))[::-1]

    def before(self, moment: float) -> int:
        """The newest seq that was answered before it."""
        ended = bisect_left(self.ends, moment)
        return self.newest[ended - 1] if ended else 0

    def after(self, moment: float) -> int | None:
        """The oldest seq that was asked for after it."""
        begun = bisect_right(self.starts, moment)
        return self.oldest[begun] if begun < len(self.oldest) else None


class Books:
    """The evidence, looked up by cell and by id."""

    def __init__(self, evidence: Evidence) -> None:
        by_cell: dict[Place, list[Row]] = defaultdict(list)
        self.by_id: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(evidence.rows, key=lambda row: (row.cell, row.seq)):
            by_cell[row.cell].append(row)
            self.by_id[row.request].append(row)
        self.calls = evidence.calls
        self.cells = {cell: Folded(cell, rows) for cell, rows in by_cell.items()}
        reserves = [call for call in self.calls if call.what == "reserve"]
        self.reservations = {call.id: call for call in reserves}
        self.reservations |= {call.id: call for call in reserves if call.answer == HELD}
        effects: dict[Place, list[Effect]] = defaultdict(list)
        for call in self.calls:
            for row in self.effects_of(call):
                returned = inf if call.returned is None else call.returned
                effects[row.cell].append(Effect(call.invoked, returned, row.seq, call.id))
        self.timelines = {cell: Timeline(found) for cell, found in effects.items()}

    def effects_of(self, call: Call) -> list[Row]:
        """The entries of a call; of an order that was placed again only what it was told, and of
        its release only what gave that back."""
        rows = self.rows(call, MARK.get(call.what, 0))
        if call.what == "reserve":
            told = {(line.cell, line.seq) for line in call.told}
            return [row for row in rows if (row.cell, row.seq) in told]
        if call.what == "release" and call.id in self.reservations:
            since = {line.cell: line.seq for line in self.reservations[call.id].told}
            return [row for row in rows if row.seq > since.get(row.cell, 0)]
        return rows

    def rows(self, call: Call, *movements: int) -> list[Row]:
        return [row for row in self.by_id.get(call.id, ()) if row.movement in movements]


def check(evidence: Evidence) -> list[str]:
    """All complaints; none where every answer was true."""
    books = Books(evidence)
    found: list[str] = []
    for cell, folded in books.cells.items():
        found += folded.faults
        found += folded.compare(evidence.balances.get(cell))
    found += unasked(books)
    for call in books.calls:
        found += ANSWERS[call.what](books, call) if call.what in ANSWERS else ()
        found += said_no(books, call)
    for cell, timeline in books.timelines.items():
        found += out_of_order(cell, timeline)
    found += broken_sales(evidence)
    return found


def unasked(books: Books) -> Iterator[str]:
    """Every entry has an id that somebody asked with, but for what a sale sets aside and gives
    back: tests.soak.sales looks at that."""
    asked = {call.id for call in books.calls}
    for id in books.by_id.keys() - asked:
        if all(row.movement in SET_ASIDE for row in books.by_id[id]):
            continue
        yield f"{id}: in the ledger, and nobody asked for it"


def bad_reserve(books: Books, call: Call) -> Iterator[str]:
    """Held once at a time in each cell; what was told is the last time, with its figures."""
    told = {line.cell: line for line in call.told}
    for cell in {row.cell for row in books.by_id.get(call.id, ())} | told.keys():
        rows = [row for row in books.rows(call, RESERVED, *ENDS) if row.cell == cell]
        held = 0
        for row in rows:
            held += 1 if row.movement == RESERVED else -1
            if held not in (0, 1):
                yield f"{call.id}: held {held} times in {cell} at seq {row.seq}"
        last = max((row.seq for row in rows if row.movement == RESERVED), default=0)
        if cell in told and last != told[cell].seq:
            yield f"{call.id}: told seq {told[cell].seq} of {cell}, the ledger has it at {last}"
        if call.answer == HELD and cell not in told and held:
            yield f"{call.id}: holds units of {cell} that nobody was told of"
    if call.answer == ENDED and not books.rows(call, *ENDS):
        yield f"{call.id}: told to have ended, and nothing of it did"
    if call.answer in (HELD, ENDED):
        yield from bad_lines(books, call)


def bad_lines(books: Books, call: Call) -> Iterator[str]:
    """All that was wanted, unless a part had ended, and every figure as it was at that seq."""
    if call.answer == HELD and units(call.wanted) != units(
        (*line.cell, line.quantity) for line in call.told
    ):
        yield f"{call.id}: wanted {call.wanted}, held {call.told}"
    for cell, quantity, seq, after in call.told:
        row = books.cells[cell].row(seq) if cell in books.cells else None
        if row is None or (row.request, row.movement, row.quantity) != (
            call.id,
            RESERVED,
            quantity,
        ):
            yield f"{call.id}: accepted at seq {seq} of {cell}, where the ledger has {row}"
        elif (left := books.cells[cell].after(seq, row.pool)) != after:
            yield f"{call.id}: told {after} left at seq {seq} of {cell}, the ledger says {left}"


def units(lines: Iterable[tuple[str, str | None, int]]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for sku, _, quantity in lines:
        found[sku] += quantity
    return dict(found)


def bad_receive(books: Books, call: Call) -> Iterator[str]:
    rows = books.rows(call, RECEIVED)
    if len(rows) > 1:
        yield f"{call.id}: received {len(rows)} times"
    if call.answer != LEVEL:
        return
    for cell, quantity, seq, after in call.told:
        if [(row.cell, row.quantity, row.seq) for row in rows] != [(cell, quantity, seq)]:
            yield f"{call.id}: told {quantity} received at seq {seq} of {cell}, the ledger: {rows}"
        elif (left := books.cells[cell].after(seq, None)) != after:
            yield f"{call.id}: told {after} left at seq {seq} of {cell}, the ledger says {left}"


def bad_deduct(books: Books, call: Call) -> Iterator[str]:
    """Once per cell of its reservation."""
    rows = books.rows(call, DEDUCTED)
    cells = [row.cell for row in rows]
    if len(set(cells)) != len(cells):
        yield f"{call.id}: handed over more than once"
    order = books.reservations.get(call.reservation or "")
    if call.answer == HELD and order is not None:
        owed = sorted((line.cell, line.quantity) for line in order.told)
        if owed != sorted((row.cell, row.quantity) for row in rows):
            yield f"{call.id}: {owed} was to be handed over, the ledger has {rows}"


def bad_release(books: Books, call: Call) -> Iterator[str]:
    order = books.reservations.get(call.id)
    if call.answer != HELD or order is None:
        return
    given = {row.cell for row in books.effects_of(call)}
    given |= {row.cell for row in books.rows(call, EXPIRED) if was_told_of(books, call, row)}
    for line in order.told:
        if line.cell not in given:
            rows = books.by_id.get(call.id)
            yield f"{call.id}: released, and {line.cell} was not given back: {call}, {rows}"


def was_told_of(books: Books, call: Call, row: Row) -> bool:
    """It may have expired just before it was released. What expired after something that was
    asked for after the answer was not given back when that was said: the release was lost."""
    timeline = books.timelines.get(row.cell) or Timeline([])
    later = timeline.after(inf if call.returned is None else call.returned)
    return later is None or row.seq < later


def bad_confirm(books: Books, call: Call) -> Iterator[str]:
    if call.answer == HELD and (expired := books.rows(call, EXPIRED)):
        yield f"{call.id}: confirmed, and expired at {expired}"


ANSWERS: dict[str, Callable[[Books, Call], Iterator[str]]] = {
    "reserve": bad_reserve,
    "receive": bad_receive,
    "deduct": bad_deduct,
    "release": bad_release,
    "confirm": bad_confirm,
}


def out_of_order(cell: Place, timeline: Timeline) -> Iterator[str]:
    """What was answered before something else was asked for comes before it in the ledger."""
    for effect in timeline.effects:
        if timeline.before(effect.invoked) > effect.seq:
            yield (
                f"{cell}: {effect.id} has seq {effect.seq}, and when it was asked for seq"
                f" {timeline.before(effect.invoked)} had been answered"
            )


def said_no(books: Books, call: Call) -> Iterator[str]:
    """A refusal leaves nothing behind; a lack of stock was true at some moment of the call."""
    if call.answer in (None, HELD, LEVEL):
        return
    mark = MARK.get(call.what)
    left = sum(row.movement == mark for row in books.by_id.get(call.id, ()))
    if call.what == "reserve":
        left = 0 if was_served_later(books, call) else left - len(books.rows(call, *ENDS))
    if left and call.what != "release":
        rows = books.by_id[call.id]
        yield f"{call.id}: refused with {call.answer}, and done all the same: {call}, {rows}"
    if call.answer == SHORT and not (call.short and was_short(books, call, call.short)):
        yield f"{call.id}: {call.short} was never true between question and answer"


def was_served_later(books: Books, call: Call) -> bool:
    """A refusal is not kept: the same order may be held when it is asked for once more."""
    order = books.reservations[call.id]
    return order.answer == HELD and (order.returned or inf) > call.invoked


def was_short(books: Books, call: Call, short: Short) -> bool:
    """With a warehouse the very figure; without one all that were there at their lowest."""
    pool = call.pool
    cells = [
        folded
        for (sku, warehouse), folded in books.cells.items()
        if sku == short.sku and short.warehouse in (None, warehouse)
    ]
    seen = [[folded.after(seq, pool) or 0 for seq in span(books, call, folded)] for folded in cells]
    if short.requested <= short.available:
        return False
    if short.warehouse is None or not cells:
        return sum(map(min, seen)) < short.requested
    return short.available in seen[0]


def span(books: Books, call: Call, folded: Folded) -> range:
    """The seqs that the cell can have had while the call was under way: not before what was
    answered before it, and not after what was asked for later."""
    timeline = books.timelines.get(folded.cell) or Timeline([])
    first = timeline.before(call.invoked - (REMEMBERED_SECONDS if call.pool else 0.0))
    later = timeline.after(inf if call.returned is None else call.returned)
    last = len(folded.rows) if later is None else later - 1
    return range(first, max(first, last) + 1)
