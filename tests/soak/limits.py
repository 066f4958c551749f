"""The limit per customer of a sale, over all cells of its pool: at no moment over it."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.soak.cells import EXPIRED, RELEASED, RESERVED
from tests.soak.history import Evidence, Row

TAKES = {RESERVED: 1, RELEASED: -1, EXPIRED: -1}


def broken_limits(evidence: Evidence) -> Iterator[str]:
    """What is handed over still counts. Of one instant the returns come first."""
    customers = {call.id: call.customer for call in evidence.calls if call.what == "reserve"}
    by_pool: dict[str | None, list[Row]] = defaultdict(list)
    for row in evidence.rows:
        by_pool[row.pool].append(row)
    for pool, limit in evidence.limits:
        taken: Counter[str | None] = Counter()
        for row in sorted(by_pool[pool], key=moment):
            customer = customers.get(row.request)
            taken[customer] += TAKES.get(row.movement, 0) * row.quantity
            if customer is not None and taken[customer] > limit:
                yield f"{customer} has {taken[customer]} of {pool} at {row}, {limit} are allowed"


def moment(row: Row) -> tuple[float, bool, str, int]:
    return (row.at, row.movement == RESERVED, row.cell[0] + row.cell[1], row.seq)
