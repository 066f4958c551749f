"""What a run found, as plain values: rows of the table, and the floors they are held against."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load import Spread, spread
from benchmarks.race import Result


@dataclass(frozen=True, slots=True)
class Row:
    """`result` is the median over the rounds with the lowest and the highest, in `unit`."""

    what: str
    in_flight: int | None
    result: Spread
    unit: str
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: dict[str, float] | None = None

    @classmethod
    def of(cls, result: Result, field: str = "accepted") -> "Row":
        return cls(
            result.name,
            result.in_flight,
            result.of(field),
            f"{field}/s",
            result.of("p50_ms").median,
            result.of("p99_ms").median,
            result.cpu_us(),
        )


@dataclass(frozen=True, slots=True)
class Floor:
    what: str
    wanted: str
    measured: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a run. `machine` and `remarks` are lines about how it was taken."""

    name: str
    machine: dict[str, str]
    remarks: list[str]
    rows: list[Row]
    floors: list[Floor]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Section":
        rows = [Row(**{**row, "result": Spread(*row["result"])}) for row in told["rows"]]
        floors = [Floor(**floor) for floor in told["floors"]]
        return cls(**{**told, "rows": rows, "floors": floors})


def at_least(what: str, measured: float, wanted: float, unit: str) -> Floor:
    return Floor(what, f"≥ {wanted:g} {unit}", f"{measured:.2f} {unit}", measured >= wanted)


def at_most(what: str, measured: float, wanted: float, unit: str) -> Floor:
    return Floor(what, f"≤ {wanted:g} {unit}", f"{measured:,.1f} {unit}", measured <= wanted)


def ratio(results: Sequence[Result], ours: str, theirs: str, in_flight: int) -> Spread | None:
    """Ours by theirs, round by round; None if one of them did not run."""
    found = {r.name: r.readings for r in results if r.in_flight == in_flight}
    if ours not in found or theirs not in found:
        return None
    pairs = zip(found[ours], found[theirs], strict=True)
    return spread([mine.accepted / other.accepted for mine, other in pairs])
