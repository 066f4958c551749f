"""`onhand demo`: fills an empty server with a small made-up shop, and lets it live for a while."""

from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import click
import uvloop
from rich.console import Console

from api.commands.import_ import import_file, report_path
from api.commands.replay import replay_file
from api.commands.visiting import Server, resolved, server_options, told_in_one_line, visit
from connectors.demo import DAYS, SEEDS, write_demo
from connectors.order_lines import OrderFile
from domain.access import Role
from infra.settings import Settings, current_settings

COVER = Fraction(95, 100)
FIRST_DAY = "2025-01-01"
CONCURRENCY = 16


class Year(NamedTuple):
    """Which orders are made up."""

    seed: int
    first_day: date
    days: int

    def __str__(self) -> str:
        return f"{self.seed}-{self.first_day:%Y%m%d}-{self.days}"


class Live(NamedTuple):
    """Which of them are played, and whether anything happens on a server that has a catalogue."""

    orders: int
    per_second: float
    if_empty: bool


@click.command("demo")
@click.option("--seed", type=click.IntRange(0, SEEDS - 1), default=7, show_default=True)
@click.option(
    "--first-day", type=click.DateTime(["%Y-%m-%d"]), default=FIRST_DAY, show_default=True
)
@click.option("--days", type=click.IntRange(1, 10 * DAYS), default=DAYS, show_default=True)
@click.option(
    "--orders",
    type=click.IntRange(0),
    default=600,
    show_default=True,
    help="Invoices to play live; 0 for none.",
)
@click.option(
    "--per-second", type=click.FloatRange(0, min_open=True), default=4.0, show_default=True
)
@click.option("--if-empty", is_flag=True, help="Do nothing where there is a catalogue already.")
@click.option(
    "--write",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Only write the orders to this CSV; import and replay read it.",
)
@server_options
def demo_command(
    seed: int,
    first_day: datetime,
    days: int,
    orders: int,
    per_second: float,
    if_empty: bool,
    write: Path | None,
    url: str,
    token: str,
) -> None:
    """Load a made-up shop of 500 SKUs, and play some of its orders live.

    Its year of orders is the same for the same seed and days, so running it again does nothing
    twice.
    """
    console = Console()
    with told_in_one_line():
        settings = current_settings()
        year = Year(seed, first_day.date(), days)
        if write is not None:
            write_demo(write, *year)
            console.print(f"wrote {write}", soft_wrap=True)
            return
        server = resolved(Server(url, token), settings, Role.ADMIN)
        uvloop.run(live(console, settings, server, year, Live(orders, per_second, if_empty)))


async def live(console: Console, settings: Settings, server: Server, year: Year, how: Live) -> None:
    async with visit(server, 1) as door:
        if how.if_empty and await door.has_catalogue():
            return
    source = OrderFile(settings.home / "demo" / f"orders-{year}.csv")
    write_demo(source.path, *year)
    await import_file(console, server, source, COVER, report_path(settings, source))
    if how.orders:
        await replay_file(console, server, source, how.orders, CONCURRENCY, how.per_second)
