"""An outbox, a read model and a bus in memory, that can be told to fail at any step."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from infra.bus import BusDown
from infra.cache import CacheDown, Filling, RelayReport
from infra.levels import CellLevel, encode_levels
from infra.outbox import OutboxRow

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def level(cell_id: int, seq: int, available: int = 0) -> CellLevel:
    return CellLevel(cell_id, f"S{cell_id}", "W", available, 0, 0, 0, 0, seq, NOON)


class Crash(Exception):
    """The process dies here."""


class FakeOutbox:
    """`cells` is the truth; what is committed stands there and in a row."""

    def __init__(self) -> None:
        self.rows: dict[int, bytes] = {}
        self.cells: dict[int, CellLevel] = {}
        self.last_id = 0
        self.limit = 10
        self.dies_before_delete = False
        self.name = "database 1"

    def commit(self, *levels: CellLevel) -> None:
        self.last_id += 1
        self.rows[self.last_id] = encode_levels(list(levels))
        for changed in levels:
            self.cells[changed.cell_id] = changed

    def scribble(self) -> None:
        self.last_id += 1
        self.rows[self.last_id] = b"not levels"

    async def take(self) -> list[OutboxRow]:
        return [OutboxRow(i, self.rows[i], 1.5) for i in sorted(self.rows)[: self.limit]]

    async def delete(self, ids: list[int]) -> None:
        if self.dies_before_delete:
            raise Crash
        for number in ids:
            del self.rows[number]

    async def page(self, after: int) -> list[CellLevel]:
        return [self.cells[i] for i in sorted(self.cells) if i > after][:2]

    async def identity(self) -> str:
        return self.name


class FakeCache:
    """`log` has every call that arrived."""

    def __init__(self) -> None:
        self.held: dict[int, CellLevel] = {}
        self.log: list[list[CellLevel]] = []
        self.run = "run 1"
        self.filled = ""
        self.is_down = False
        self.dies_after_put = False
        self.last_report: RelayReport | None = None

    def restart(self) -> None:
        self.held.clear()
        self.filled = ""
        self.run += "+"

    async def put_levels(self, levels: Sequence[CellLevel]) -> None:
        self.must_be_up()
        self.log.append(list(levels))
        for new in levels:
            held = self.held.get(new.cell_id)
            if held is None or held.seq < new.seq:
                self.held[new.cell_id] = new
        if self.dies_after_put:
            raise Crash

    async def filling_due(self, database: str) -> Filling | None:
        self.must_be_up()
        mark = f"{self.run} {database}"
        is_foreign = bool(self.filled) and not self.filled.endswith(database)
        return None if self.filled == mark else Filling(mark, is_foreign)

    async def mark_filled(self, mark: str) -> None:
        self.must_be_up()
        self.filled = mark

    async def clear(self) -> None:
        self.held.clear()
        self.filled = ""

    async def put_report(self, report: RelayReport) -> None:
        self.must_be_up()
        self.last_report = report

    def must_be_up(self) -> None:
        if self.is_down:
            raise CacheDown("down")


class FakeBus:
    """`told` is the stream: every level in the order in which it was published."""

    def __init__(self) -> None:
        self.told: list[CellLevel] = []
        self.is_down = False
        self.dies_half_way = False
        self.dies_after = False
        self.has_told = asyncio.Event()

    async def publish(self, levels: Sequence[CellLevel]) -> None:
        if self.is_down:
            raise BusDown("down")
        if self.dies_half_way:
            self.told += levels[: len(levels) // 2]
            raise Crash
        self.told += levels
        self.has_told.set()
        if self.dies_after:
            raise Crash


class Committed:
    """The truth: cells as the database has them."""

    def __init__(self) -> None:
        self.cells: dict[int, CellLevel] = {}
        self.is_down = False
        self.reads: list[Sequence[str] | None] = []

    def commit(self, new: CellLevel) -> CellLevel:
        self.cells[new.cell_id] = new
        return new

    async def page(self, after: int, skus: Sequence[str] | None) -> list[CellLevel]:
        self.reads.append(skus)
        if self.is_down:
            raise OSError("down")
        found = [self.cells[i] for i in sorted(self.cells) if i > after]
        return [item for item in found if skus is None or item.sku in skus][:2]
