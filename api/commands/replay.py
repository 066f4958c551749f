"""`onhand replay`: a shop's invoices are played through the public API of a running server."""

from collections.abc import Sequence
from pathlib import Path

import click
import uvloop
from rich.console import Console

from api.commands.visiting import (
    Server,
    order_file,
    order_file_options,
    reading,
    resolved,
    server_options,
    told_in_one_line,
    visit,
)
from api.progress import Stages, stages
from api.tables import show_table
from connectors.order_lines import OrderFile, Tally, sold_lines
from domain.access import Role
from infra.settings import current_settings
from services.door import Door
from services.figures import Call, Figures
from services.orders_in import Invoice, in_time_order
from services.replay import CONCURRENCY_LIMIT, Playing, replay

STAGE = "invoices"


@click.command("replay")
@order_file_options
@click.option("--limit", type=click.IntRange(1), help="Play the first N invoices alone.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, CONCURRENCY_LIMIT),
    default=64,
    show_default=True,
    help="Invoices under way at once.",
)
@click.option("--per-second", type=click.FloatRange(0, min_open=True), help="Play at this pace.")
@server_options
def replay_command(
    file: Path,
    columns: tuple[str, ...],
    encoding: str,
    date_format: str,
    limit: int | None,
    concurrency: int,
    per_second: float | None,
    url: str,
    token: str,
) -> None:
    """Play the invoices of FILE in time order through a running server.

    A sale is reserved, confirmed and deducted; a cancellation (C...) comes back into quarantine and
    is cleared. Short lines are dropped and the rest is tried again. A replay that was broken off
    and runs again changes nothing twice.
    """
    console = Console()
    with told_in_one_line():
        server = resolved(Server(url, token), current_settings(), Role.OPERATIONS)
        source = order_file(file, columns, encoding, date_format)
        uvloop.run(replay_file(console, server, source, limit, concurrency, per_second))


async def replay_file(
    console: Console,
    server: Server,
    source: OrderFile,
    limit: int | None,
    concurrency: int,
    per_second: float | None,
) -> None:
    async with visit(server, concurrency) as door:
        with stages(console) as bars:
            lines = sold_lines(source, Tally(), reading(bars))
            invoices = in_time_order(lines)[:limit]
            figures = await played(door, invoices, concurrency, per_second, bars)
        show_figures(console, figures, door.repeated)


async def played(
    door: Door,
    invoices: Sequence[Invoice],
    concurrency: int,
    per_second: float | None,
    bars: Stages,
) -> Figures:
    def step(figures: Figures) -> None:
        pace = figures.mutations / max(figures.elapsed_seconds, 1e-6)
        bars.reach(STAGE, figures.invoices, len(invoices), f"{pace:,.0f} mutations/s")

    return await replay(door, invoices, Playing(concurrency, step, per_second))


def show_figures(console: Console, figures: Figures, repeated: int) -> None:
    endings = [(ending.value, count) for ending, count in figures.endings.most_common()]
    show_table(console, "Invoices", ("ending", "invoices"), [*endings, ("all", figures.invoices)])
    calls = [call_row(figures, call) for call in Call if figures.seconds[call]]
    show_table(console, "Calls", ("kind", "calls", "p50 ms", "p99 ms"), calls)
    refusals = [(call.value, code, count) for (call, code), count in figures.refusals.most_common()]
    show_table(console, "Refusals", ("call", "code", "answers"), refusals)
    units = [(kind.value, count) for kind, count in figures.units.items()]
    show_table(console, "Units moved", ("movement", "units"), units)
    seconds = max(figures.elapsed_seconds, 1e-6)
    altogether = [
        ("input lines played", figures.input_lines),
        ("short lines dropped", figures.dropped_lines),
        ("units of those", figures.dropped_units),
        ("holds that lapsed and were made again", figures.lapsed_holds),
        ("calls repeated after an outage", repeated),
        ("mutations", figures.mutations),
        ("mutations per second", round(figures.mutations / seconds)),
        ("seconds", round(seconds)),
    ]
    show_table(console, "Altogether", ("", "number"), altogether)


def call_row(figures: Figures, call: Call) -> tuple[str, int, float, float]:
    calls = len(figures.seconds[call])
    return (
        call.value,
        calls,
        figures.percentile_ms(call, 0.5),
        figures.percentile_ms(call, 0.99),
    )
