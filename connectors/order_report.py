"""The report of an import: every line that is neither a sale nor a cancellation, and every row the
server refused, as a CSV for people. What is counted on the screen stands here line by line."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, NamedTuple

from connectors.order_columns import COLUMNS
from connectors.order_lines import Judged
from connectors.order_rules import EXPLANATIONS, Dirt, LineClass, Value
from services.imports import RefusedRow

HEADER = ("line", "class", "reason", "explanation", *(column.name for column in COLUMNS))
SOLD = (LineClass.SALE, LineClass.CANCELLATION)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t")


class Report(NamedTuple):
    """A report being written."""

    file: IO[str]

    def lines(self, judged: Sequence[Judged]) -> None:
        listed = (line for line in judged if line.verdict.line_class not in SOLD)
        csv.writer(self.file).writerows(map(listed_line, listed))

    def refusals(self, refused: Sequence[RefusedRow]) -> None:
        rows = (("", "refused", row.code, f"{row.what}: {row.message}") for row in refused)
        csv.writer(self.file).writerows(rows)


@contextmanager
def open_report(path: Path) -> Iterator[Report]:
    """Replaces the report at `path`; folders that are missing are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(HEADER)
        yield Report(file)


def listed_line(judged: Judged) -> list[str]:
    row, (line_class, reason, _) = judged
    explanation = EXPLANATIONS[Dirt(reason)] if line_class is LineClass.DIRTY else ""
    *values, note = row[1:]
    told = explanation if note is None else f"{explanation}: {note}"
    cells = [written(value) for value in values]
    return [str(row.number), line_class.value, reason, told, *cells]


def written(value: Value) -> str:
    """As text; one that a spreadsheet would run as a formula is disarmed."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return str(value)
