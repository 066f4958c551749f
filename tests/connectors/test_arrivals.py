"""A crowd's curve out of a parquet."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from connectors.arrivals import BadArrivals, arrival_weights

REAL = Path(__file__).parents[3] / "shared" / "data" / "worldcup98_requests_per_minute.parquet"


def file(tmp_path: Path, **columns: Sequence[object]) -> Path:
    path = tmp_path / "crowd.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


@pytest.mark.parametrize("name", ["count", "requests"])
def test_the_numbers_are_read_in_order(tmp_path: Path, name: str) -> None:
    path = file(tmp_path, period=[1, 2, 3, 4], **{name: [5, None, -1, 7]})
    assert arrival_weights(path) == [5.0, 0.0, 0.0, 7.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"visitors": [1]}, "no column"),
        ({"count": [0, 0]}, "nobody arrives"),
        ({"count": ["many"]}, "cannot be read"),
    ],
)
def test_what_is_no_curve_is_named(
    tmp_path: Path, columns: dict[str, Sequence[object]], message: str
) -> None:
    with pytest.raises(BadArrivals, match=message):
        arrival_weights(file(tmp_path, **columns))


def test_an_empty_or_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "crowd.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"count": pyarrow.array([], "int32")}), path)
    with pytest.raises(BadArrivals, match=r"crowd\.parquet must have"):
        arrival_weights(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(BadArrivals, match=r"crowd\.parquet cannot be read"):
        arrival_weights(path)


@pytest.mark.skipif(not REAL.is_file(), reason="the real arrivals are not beside the repository")
def test_a_real_crowd_is_read_whole() -> None:
    weights = arrival_weights(REAL)
    assert (len(weights), sum(weights), max(weights)) == (125_300, 1_352_804_107, 229_426)
