"""How a crowd arrives: a parquet of requests per part of time, all equally long, a row each."""

from pathlib import Path

import pyarrow
import pyarrow.parquet

COLUMNS = ("count", "requests")
ROWS_LIMIT = 10_000_000


class BadArrivals(Exception):
    """The file cannot be used; the message names it."""


def arrival_weights(path: Path) -> list[float]:
    """The numbers of the column `count` (or `requests`), in the order of the rows."""
    try:
        table = pyarrow.parquet.ParquetFile(path)
        names = table.schema_arrow.names
        column = next((name for name in COLUMNS if name in names), None)
        if column is None:
            raise BadArrivals(f"{path.name} has no column {' or '.join(COLUMNS)}")
        if not 0 < table.metadata.num_rows <= ROWS_LIMIT:
            raise BadArrivals(f"{path.name} must have 1 to {ROWS_LIMIT} rows")
        read = table.read(columns=[column]).column(column).cast(pyarrow.float64())
        weights = [max(0.0, weight or 0.0) for weight in read.to_pylist()]
    except (pyarrow.ArrowException, OSError) as error:
        raise BadArrivals(f"{path.name} cannot be read: {error}") from error
    if not any(weights):
        raise BadArrivals(f"{path.name}: nobody arrives")
    return weights
