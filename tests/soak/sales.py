"""What a flash sale promises, read from its pool's entries and its buyers' histories: set aside
once, sold in its window, nobody over the limit, a place and an order to each ticket, the rest back.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from tests.soak.cells import ALLOTTED, EXPIRED, RELEASED, RESERVED, UNALLOTTED
from tests.soak.history import HELD, Call, Evidence, Place, Row, Sale

TAKES = {RESERVED: 1, RELEASED: -1, EXPIRED: -1}
"""What is handed over still counts."""
LEAVES = {ALLOTTED: 1, UNALLOTTED: -1, RESERVED: -1, RELEASED: 1, EXPIRED: 1}
SET_ASIDE = (ALLOTTED, UNALLOTTED)


def broken_sales(evidence: Evidence) -> Iterator[str]:
    by_pool: dict[str | None, list[Row]] = defaultdict(list)
    for row in sorted(evidence.rows, key=moment):
        by_pool[row.pool].append(row)
    calls: dict[str | None, list[Call]] = defaultdict(list)
    for call in evidence.calls:
        calls[call.pool].append(call)
    for sale in evidence.sales:
        rows = by_pool.pop(sale.pool, [])
        yield from set_aside_otherwise(sale, rows)
        yield from sold_outside_the_window(sale, rows)
        yield from bad_limit(sale, rows, calls[sale.pool])
        yield from shared_places(sale, calls[sale.pool])
        yield from shared_tickets(calls[sale.pool])
    by_pool.pop(None, None)
    for pool, rows in by_pool.items():
        yield f"{pool}: {len(rows)} entries, and nobody held such a sale"


def moment(row: Row) -> tuple[float, bool, Place, int]:
    """Of one instant the returns come first."""
    return (row.at, row.movement == RESERVED, row.cell, row.seq)


def set_aside_otherwise(sale: Sale, rows: Iterable[Row]) -> Iterator[str]:
    """What was agreed, once; when the sale is over, all that nobody has is back."""
    allotted: Counter[Place] = Counter()
    left: Counter[Place] = Counter()
    for row in rows:
        left[row.cell] += LEAVES.get(row.movement, 0) * row.quantity
        if row.movement == ALLOTTED:
            allotted[row.cell] += row.quantity
    if sale.is_agreed and dict(allotted) != sale.allotments:
        yield f"{sale.pool}: {sale.allotments} was agreed, {dict(allotted)} set aside"
    if sale.is_over and any(left.values()):
        yield f"{sale.pool}: over, and {dict(+left)} never given back"


def sold_outside_the_window(sale: Sale, rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        if row.movement == RESERVED and not sale.opens <= row.at < sale.closes:
            yield f"{row.request}: sold at {row.at}, {sale.pool} sells from {sale.opens}"


def bad_limit(sale: Sale, rows: Iterable[Row], calls: Iterable[Call]) -> Iterator[str]:
    """Over all cells of the sale no customer ever has more; who is told of the limit had what the
    refusal says."""
    customers = {call.id: call.customer for call in calls if call.what == "reserve"}
    taken: Counter[str | None] = Counter()
    seen = {(customer, 0) for customer in customers.values()}
    for row in rows:
        if row.movement not in TAKES:
            continue
        customer = customers.get(row.request)
        taken[customer] += TAKES[row.movement] * row.quantity
        seen.add((customer, taken[customer]))
        if taken[customer] > sale.limit:
            yield f"{customer} has {taken[customer]} of {sale.pool} at {row}, not {sale.limit}"
    for call in calls:
        if call.over is None:
            continue
        limit, had = call.over
        asked = sum(quantity for _, _, quantity in call.wanted)
        if limit != sale.limit or had + asked <= limit or (call.customer, had) not in seen:
            yield f"{call.id}: {call.over} was never true of {call.customer}, who wanted {asked}"


def shared_places(sale: Sale, calls: Iterable[Call]) -> Iterator[str]:
    """Who lost a ticket may get another place; two customers never have one."""
    holders: dict[int, set[str | None]] = defaultdict(set)
    for call in calls:
        if call.place is not None:
            holders[call.place].add(call.customer)
    for place, customers in holders.items():
        if len(customers) > 1:
            yield f"{sale.pool}: {sorted(map(str, customers))} have place {place} together"


def shared_tickets(calls: Iterable[Call]) -> Iterator[str]:
    orders: dict[str | None, set[str]] = defaultdict(set)
    for call in calls:
        if call.what == "reserve" and call.answer == HELD:
            orders[call.ticket].add(call.id)
    orders.pop(None, None)
    for ids in orders.values():
        if len(ids) > 1:
            yield f"{sorted(ids)}: one ticket let in all of them"
