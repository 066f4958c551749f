"""A run of many parts: what one finds stays, whatever the next one does."""

from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.figures import Row, Section
from benchmarks.load import spread
from benchmarks.run import Run

ABOUT = {"taken": "at noon"}


def section(name: str, value: float = 1.0) -> Section:
    return Section(name, ABOUT, [], [Row("it", None, spread([value]), "things")], [])


def broken() -> Section:
    raise RuntimeError("the servers ran away")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / report.DOCUMENT).parent.mkdir()
    return tmp_path


@pytest.fixture
def run(root: Path) -> Run:
    return Run({"a", "b", "c"}, Console(quiet=True), root)


def test_a_part_that_breaks_takes_only_itself_along(run: Run, root: Path) -> None:
    run.part(("a",), lambda: section("A"))
    run.part(("b",), broken)
    run.part(("c",), lambda: section("C"))
    assert [one.name for one in report.read(root)] == ["A", "C"]
    with pytest.raises(SystemExit):
        run.tell()


def test_what_broke_keeps_the_figures_that_it_had(run: Run, root: Path) -> None:
    report.write(root, [section("B", 7.0)])
    run.part(("b",), broken)
    (kept,) = report.read(root)
    assert kept.rows[0].result.median == 7.0


def test_a_part_is_written_before_the_next_begins(run: Run, root: Path) -> None:
    run.part(("a",), lambda: section("A"))
    assert "## A" in (root / report.DOCUMENT).read_text()


def test_what_is_not_wanted_is_left_alone(root: Path) -> None:
    run = Run({"a"}, Console(quiet=True), root)
    run.part(("b",), broken)
    run.tell()
    assert not report.read(root)
