"""The table of a run for the terminal and for docs/benchmarks.md, and the figures beside it.

Nothing between the markers in the document is written by hand; what stands around them is kept.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Row, Section
from benchmarks.load import Spread

DOCUMENT = Path("docs/benchmarks.md")
FIGURES = Path("docs/benchmarks.json")
BEGIN = "<!-- written by `make bench` from here on -->"
END = "<!-- up to here -->"
COLUMNS = (
    "what",
    "in flight",
    "result",
    "from – to",
    "unit",
    "p50 ms",
    "p99 ms",
    "CPU, µs per answer",
)
RIGHT = frozenset({"in flight", "result", "from – to", "p50 ms", "p99 ms"})


def show(console: Console, sections: Iterable[Section]) -> None:
    table = Table(*COLUMNS, box=box.SIMPLE_HEAD)
    for column in table.columns:
        column.justify = "right" if column.header in RIGHT else "left"
    for section in sections:
        for row in section.rows:
            table.add_row(*cells(row))
        table.add_section()
    console.print(table)
    for section in sections:
        for floor in section.floors:
            sign = "[green]✓[/]" if floor.is_met else "[red]✗[/]"
            console.print(f"{sign} {floor.what}: {floor.measured}, wanted {floor.wanted}")


def write(root: Path, sections: Sequence[Section]) -> None:
    """Parts that were not run keep the figures of their last run."""
    kept = {section.name: section for section in read(root)}
    kept |= {section.name: section for section in sections}
    told = [section.as_dict() for section in kept.values()]
    (root / FIGURES).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    document = root / DOCUMENT
    text = document.read_text() if document.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{markdown(list(kept.values()))}\n{END}{after}")


def read(root: Path) -> list[Section]:
    path = root / FIGURES
    return (
        [Section.from_dict(told) for told in json.loads(path.read_text())] if path.exists() else []
    )


def markdown(sections: Sequence[Section]) -> str:
    parts = [part for section in sections for part in section_lines(section)]
    return "\n".join(["", *parts])


def section_lines(section: Section) -> list[str]:
    return [
        f"## {section.name}",
        "",
        *[f"- {name}: {value}" for name, value in section.machine.items()],
        *[f"- {remark}" for remark in section.remarks],
        "",
        line(COLUMNS),
        line("---:" if column in RIGHT else "---" for column in COLUMNS),
        *[line(cells(row)) for row in section.rows],
        "",
        *[
            f"- {'met' if floor.is_met else '**not met**'}: {floor.what}: {floor.measured}, "
            f"wanted {floor.wanted}"
            for floor in section.floors
        ],
        "",
    ]


def line(values: Iterable[str]) -> str:
    return f"| {' | '.join(values)} |"


def cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        "" if row.in_flight is None else f"{row.in_flight:,}",
        number(row.result.median),
        between(row.result),
        row.unit,
        "" if row.p50_ms is None else f"{row.p50_ms:.2f}",
        "" if row.p99_ms is None else f"{row.p99_ms:.2f}",
        ", ".join(f"{role} {cpu:.0f}" for role, cpu in (row.cpu_us or {}).items() if cpu >= 0.5),
    )


def between(result: Spread) -> str:
    if result.low == result.high:
        return ""
    return f"{number(result.low)} – {number(result.high)}"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
