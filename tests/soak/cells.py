"""One cell's ledger added up entry by entry, by rules of this file's own."""

from collections import Counter
from collections.abc import Sequence

from tests.soak.history import Balance, Place, Row

RECEIVED, RESERVED, RELEASED, EXPIRED, DEDUCTED, ALLOTTED, UNALLOTTED = 1, 2, 3, 4, 5, 24, 25
OUTSIDE = "outside"
OPEN = "open"
HELD = "held"
MOVES = {
    RECEIVED: (OUTSIDE, OPEN),
    RESERVED: (OPEN, HELD),
    RELEASED: (HELD, OPEN),
    EXPIRED: (HELD, OPEN),
    DEDUCTED: (HELD, OUTSIDE),
}


class Folded:
    """`levels[seq]` is what the cell had, by bucket, after that entry; a ring-fence is a bucket."""

    def __init__(self, cell: Place, rows: Sequence[Row]) -> None:
        self.cell = cell
        self.rows = rows
        self.levels: list[Counter[str]] = [Counter()]
        self.faults: list[str] = []
        for place, row in enumerate(rows, 1):
            if row.seq != place:
                self.faults.append(f"{cell}: entry {place} has seq {row.seq}")
            self.levels.append(self.moved(row))

    def moved(self, row: Row) -> Counter[str]:
        units = Counter(self.levels[-1])
        source, target = self.path(row)
        units[source] -= row.quantity
        units[target] += row.quantity
        if any(number < 0 for bucket, number in units.items() if bucket != OUTSIDE):
            self.faults.append(f"{self.cell}: more than the stock at seq {row.seq}: {dict(units)}")
        return units

    def path(self, row: Row) -> tuple[str, str]:
        pool = f"pool {row.pool}" if row.pool else OPEN
        if row.movement in (ALLOTTED, UNALLOTTED):
            return (OPEN, pool) if row.movement == ALLOTTED else (pool, OPEN)
        source, target = MOVES[row.movement]
        return (pool if source == OPEN else source, pool if target == OPEN else target)

    def after(self, seq: int, pool: str | None) -> int | None:
        """What was left in the open part, or in the ring-fence; None: there is no such entry."""
        if not 0 <= seq < len(self.levels):
            return None
        return self.levels[seq][f"pool {pool}" if pool else OPEN]

    def row(self, seq: int) -> Row | None:
        return self.rows[seq - 1] if 1 <= seq <= len(self.rows) else None

    def compare(self, balance: Balance | None) -> list[str]:
        last = self.levels[-1]
        folded = Balance(len(self.rows), last[OPEN], last[HELD])
        return (
            [] if balance == folded else [f"{self.cell}: {balance} stored, {folded} in the ledger"]
        )
