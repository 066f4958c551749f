"""Reads order lines from CSV or parquet, in batches of bounded size, in the order of the file.

A CSV is read as text throughout, so a value of a wrong type spoils its own line and not the file.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from connectors.order_columns import COLUMNS, BadOrderFile, find_columns
from connectors.order_rules import Dirt, LineClass, Row, Value, Verdict, classify, dirty
from services.orders_in import OrderLine

BATCH_ROWS = 4_096
CSV_BLOCK_BYTES = 4 * 1024 * 1024
HASH_BLOCK_BYTES = 1024 * 1024
HEADER_BYTES = 64 * 1024
PARQUET_MAGIC = b"PAR1"
DELIMITERS = ",;\t|"
DATE_FORMAT = "%m/%d/%Y %H:%M"
"""How spreadsheets export the UCI data; ISO 8601 is always understood."""


@dataclass(frozen=True, slots=True)
class OrderFile:
    """A file and how to read it. `named` gives foreign columns for ours."""

    path: Path
    named: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    date_format: str = DATE_FORMAT


MALFORMED = dirty(Dirt.ROW_MALFORMED)


class Judged(NamedTuple):
    """One input line and its one class."""

    row: Row
    verdict: Verdict


class Batch(NamedTuple):
    """`read` is the share of the file read so far, 0 to 1."""

    lines: list[Judged]
    read: float


@dataclass(slots=True)
class Tally:
    """How many lines fell into which class, and why. Every line counts exactly once."""

    classes: Counter[LineClass] = field(default_factory=Counter)
    reasons: Counter[tuple[LineClass, str]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.classes.total()

    def count(self, verdict: Verdict) -> None:
        self.classes[verdict.line_class] += 1
        if verdict.reason:
            self.reasons[verdict.line_class, verdict.reason] += 1


def digest(path: Path) -> str:
    """What names the file's content: SHA-256 in hexadecimal."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            sha.update(block)
    return sha.hexdigest()


def judged_batches(source: OrderFile) -> Iterator[Batch]:
    """Raises BadOrderFile, which says what is wrong with the file as a whole."""
    with source.path.open("rb") as file:
        is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        file.seek(0)
        try:
            yield from parquet_batches(file, source) if is_parquet else csv_batches(file, source)
        except pyarrow.ArrowInvalid as error:
            hint = "; name its encoding with --encoding" if "UTF8" in str(error) else ""
            raise BadOrderFile(f"{source.path} cannot be read: {error}{hint}") from error
        except UnicodeDecodeError as error:
            raise BadOrderFile(f"{source.path} is not written in {source.encoding}") from error
        except LookupError as error:
            raise BadOrderFile(f"--encoding {source.encoding}: {error}") from error


def sold_lines(
    source: OrderFile, tally: Tally, seen: Callable[[Batch], None]
) -> Iterator[OrderLine]:
    """The certain lines alone. All are counted, and each batch is shown to `seen`."""
    for batch in judged_batches(source):
        seen(batch)
        for _, verdict in batch.lines:
            tally.count(verdict)
            if verdict.line is not None:
                yield verdict.line


def parquet_batches(file: IO[bytes], source: OrderFile) -> Iterator[Batch]:
    table = pyarrow.parquet.ParquetFile(file)
    header = table.schema_arrow.names
    places = find_columns(header, source.named)
    wanted = {ours: header[place] for ours, place in places.items()}
    numbers = count(1)
    done, total = 0, max(table.metadata.num_rows, 1)
    for batch in table.iter_batches(BATCH_ROWS, columns=list(wanted.values())):
        columns = {ours: values(batch.column(theirs)) for ours, theirs in wanted.items()}
        lines = judge(columns, batch.num_rows, numbers, source.date_format)
        done += batch.num_rows
        yield Batch(lines, done / total)


def csv_batches(file: IO[bytes], source: OrderFile) -> Iterator[Batch]:
    size = max(source.path.stat().st_size, 1)
    header, delimiter = csv_header(file, source.encoding)
    places = find_columns(header, source.named)
    malformed: list[Judged] = []
    skipped: set[int] = set()

    def keep(bad: Any) -> str:
        number = bad.number - 1
        skipped.add(number)
        malformed.append(Judged(Row(number, note=bad.text), MALFORMED))
        return "skip"

    reader = pyarrow.csv.open_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, block_size=CSV_BLOCK_BYTES, encoding=source.encoding
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=keep
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pyarrow.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    numbers = (number for number in count(1) if number not in skipped)
    for batch in reader:
        columns = {ours: values(batch.column(place)) for ours, place in places.items()}
        lines = judge(columns, batch.num_rows, numbers, source.date_format)
        read = 1.0 if file.closed else file.tell() / size
        yield Batch(lines + malformed, read)
        malformed.clear()
    if malformed:
        yield Batch(malformed, 1.0)


def csv_header(file: IO[bytes], encoding: str) -> tuple[list[str], str]:
    """The names in the first line, and the sign that most likely stands between them."""
    head = file.read(HEADER_BYTES).decode(encoding, errors="ignore").removeprefix("\ufeff")
    file.seek(0)
    delimiter = max(DELIMITERS, key=head.partition("\n")[0].count)
    return next(csv.reader(io.StringIO(head), delimiter=delimiter), []), delimiter


def values(column: Any) -> list[Value]:
    """Plain Python values; nanoseconds, which Python does not have, are cut."""
    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", tz=column.type.tz), safe=False)
    return column.to_pylist()  # type: ignore[no-any-return]


def judge(
    columns: Mapping[str, list[Value]], size: int, numbers: Iterator[int], date_format: str
) -> list[Judged]:
    in_order = [columns.get(column.name) or [None] * size for column in COLUMNS]
    rows = map(Row, islice(numbers, size), *in_order)
    return [Judged(row, classify(row, date_format)) for row in rows]
