"""The oracle: checks the ledger by rules of its own. It knows the domain's codes, and none of its
code: it adds up rows, and compares them with what the callers were told."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from domain.commands import CellKey
from tests.actors.fake_store import FakeStore

INSIDE = ("available", "reserved", "quarantined", "damaged")
PATHS = {
    1: "supplier>available",
    2: "available>reserved",
    3: "reserved>available",
    4: "reserved>available",
    5: "reserved>customer",
    6: "customer>quarantined",
    7: "customer>available",
    8: "customer>damaged",
    9: "available>quarantined",
    10: "damaged>quarantined",
    11: "quarantined>available",
    12: "damaged>available",
    13: "available>damaged",
    14: "quarantined>damaged",
    15: "damaged>scrap",
    16: "available>transit",
    17: "transit>available",
    18: "variance>available",
    19: "variance>quarantined",
    20: "variance>damaged",
    21: "available>variance",
    22: "quarantined>variance",
    23: "damaged>variance",
}
RESERVED, RELEASED, EXPIRED, DEDUCTED = 2, 3, 4, 5
ALLOTTED, UNALLOTTED = 24, 25
OPEN = ("held", "confirmed")
LIMIT = 3
"""Units that a customer may have of the sale."""


def broken_rules(store: FakeStore) -> list[str]:
    """Of the sale, after an append: who is over the limit, and which ticket let in two."""
    broken: list[str] = []
    taken: Counter[str | None] = Counter()
    users: dict[str, UUID] = {}
    for (reservation, cell_id), hold in store.holds.items():
        if hold.pool is None or not hold.pool.startswith("sale:"):
            continue
        buyer = store.made[reservation, cell_id].buyer
        ended = hold.state in ("released", "expired")
        taken[buyer.customer] += hold.deducted if ended else hold.quantity
        reference = store.entries[cell_id, hold.seq][7]
        if reference and users.setdefault(reference, reservation) != reservation:
            broken.append(f"{reference} let in two")
    return broken + [f"{who} has {units}" for who, units in taken.items() if units > LIMIT]


@dataclass
class Story:
    """What one id was asked for and told. `cells` are those that a success has changed, with the
    code of the movement; `is_unsure` when a call ended without an answer."""

    what: str
    cells: dict[CellKey, int] = field(default_factory=dict)
    told: list[Any] = field(default_factory=list)
    is_done: bool = False
    is_unsure: bool = False


class Auditor:
    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.keys = {cell.id: key for key, cell in store.cells.items()}
        self.rows: dict[CellKey, list[tuple[Any, ...]]] = defaultdict(list)
        self.made: dict[UUID, Counter[tuple[CellKey, int]]] = defaultdict(Counter)
        for place in sorted(store.entries):
            row = store.entries[place]
            self.rows[self.keys[place[0]]].append(row)
            self.made[row[5]][self.keys[place[0]], row[2]] += 1

    def check(self, stories: dict[UUID, Story]) -> None:
        for key, cell in self.store.cells.items():
            self.check_cell(key, cell)
        self.check_flow()
        self.check_holds()
        self.check_outbox()
        for request_id, story in stories.items():
            self.check_story(request_id, story)
        assert self.made.keys() <= stories.keys(), "an entry that nobody asked for"

    def check_cell(self, key: CellKey, cell: Any) -> None:
        """No gap, never a negative bucket, and the fold is the stored balance."""
        rows = self.rows[key]
        assert [row[1] for row in rows] == list(range(1, cell.seq + 1)), f"{key} has a gap"
        units: Counter[str] = Counter()
        for row in rows:
            self.move(units, row[2], row[3], row[4])
            assert min(units.values()) >= 0, f"{key} went below zero at {row[1]}: {units}"
        assert [units[bucket] for bucket in INSIDE] == cell.units, key
        pools = {name[5:]: n for name, n in units.items() if name.startswith("pool:") and n}
        assert pools == cell.pools, key

    def move(self, units: Counter[str], code: int, quantity: int, pool: str | None) -> None:
        assert quantity > 0
        if code in (ALLOTTED, UNALLOTTED):
            ends = ["available", f"pool:{pool}"]
            source, target = ends if code == ALLOTTED else ends[::-1]
        else:
            source, target = PATHS[code].split(">")
        for bucket, delta in ((source, -quantity), (target, quantity)):
            place = f"pool:{pool}" if bucket == "available" and pool and code < 24 else bucket
            if place in INSIDE or place.startswith("pool:"):
                units[place] += delta

    def check_flow(self) -> None:
        """Per SKU: what came in is what is on hand and what went out."""
        flow: Counter[str] = Counter()
        for key, rows in self.rows.items():
            for row in rows:
                source, target = PATHS.get(row[2], "available>available").split(">")
                flow[key.sku] += row[3] * ((source not in INSIDE) - (target not in INSIDE))
        for key, cell in self.store.cells.items():
            flow[key.sku] -= sum(cell.units) + sum(cell.pools.values())
        assert not +flow, flow
        assert not -flow, flow

    def check_holds(self) -> None:
        """What holds promise is reserved, and what they handed over has left."""
        left: Counter[CellKey] = Counter()
        handed: Counter[CellKey] = Counter()
        for (_, cell_id), hold in self.store.holds.items():
            key = self.keys[cell_id]
            handed[key] += hold.deducted
            assert 0 <= hold.deducted <= hold.quantity
            if hold.state in OPEN:
                left[key] += hold.quantity - hold.deducted
                assert (hold.deadline is None) == (hold.state == "confirmed")
        for key, cell in self.store.cells.items():
            assert left[key] == cell.units[1], f"{key} has other holds than units reserved"
            assert handed[key] == sum(r[3] for r in self.rows[key] if r[2] == DEDUCTED), key

    def check_outbox(self) -> None:
        """Each change was told in order, and the last is the truth."""
        seen: dict[int, Any] = {}
        for levels in self.store.outbox:
            for level in levels:
                assert level.cell_id not in seen or level.seq > seen[level.cell_id].seq
                seen[level.cell_id] = level
        for key, cell in self.store.cells.items():
            if cell.seq:
                level = seen[cell.id]
                assert (level.seq, list(level[3:7])) == (cell.seq, cell.units), key

    def check_story(self, request_id: UUID, story: Story) -> None:
        """A success stands in the ledger exactly once, a refusal not at all; and whoever asked
        again was told the same."""
        made = self.made.get(request_id, Counter())
        what = f"{story.what} {request_id}: {made}"
        assert all(told == story.told[0] for told in story.told), f"{what}, told {story.told}"
        if story.what == "reserve":
            self.check_reserve(request_id, story, made, what)
        elif story.is_done:
            assert made == dict.fromkeys(story.cells.items(), 1), what
        elif not story.is_unsure:
            assert not made, f"{what}: refused, and done all the same"
        assert max(made.values(), default=0) <= 1 or story.what == "reserve", what

    def check_reserve(
        self, request_id: UUID, story: Story, made: Counter[tuple[CellKey, int]], what: str
    ) -> None:
        """The entries that end a hold carry its reservation's id too. A hold that was withdrawn has
        as many ends as beginnings."""
        for key in {key for key, _ in made}:
            begun = made[key, RESERVED]
            ended = made[key, RELEASED] + made[key, EXPIRED]
            hold = self.store.holds.get((request_id, self.store.cells[key].id))
            is_open = hold is not None and hold.state in (*OPEN, "deducted")
            assert begun - ended == is_open, what
        if story.is_done:
            assert {key for key, _ in made} >= story.cells.keys(), what
            for key in story.cells:
                assert (request_id, self.store.cells[key].id) in self.store.holds, what
        elif not story.is_unsure:
            open_holds = [
                key
                for key, hold in self.store.holds.items()
                if key[0] == request_id and hold.state in OPEN
            ]
            assert not open_holds, f"{what}: refused, and held all the same"
