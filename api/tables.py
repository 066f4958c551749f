"""Summaries as tables: words to the left, numbers to the right with their thousands apart."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

Cell = str | int | float


def show_table(
    console: Console, title: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    """Nothing is shown where there are no rows."""
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings):
        numeric = not isinstance(rows[0][place], str)
        table.add_column(heading, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(shown(cell) for cell in row))
    console.print(table)


def shown(cell: Cell) -> str:
    match cell:
        case float():
            return f"{cell:,.1f}"
        case int():
            return f"{cell:,}"
    return cell
