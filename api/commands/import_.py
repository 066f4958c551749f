"""`onhand import`: a shop's order lines become its catalogue, warehouses and opening stock."""

from fractions import Fraction
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
    show_lines,
    told_in_one_line,
    visit,
)
from api.progress import Stages, stages
from api.tables import show_table
from connectors.order_lines import Batch, OrderFile, Tally, digest, sold_lines
from connectors.order_report import Report, open_report
from connectors.regions import WAREHOUSES
from domain.access import Role
from infra.settings import Settings, current_settings
from services.door import Door
from services.imports import OPENING, SKUS, Imported, Loading, ShopInput, load_shop

CONNECTIONS = 64
COVER_LIMIT = 100
REFUSED_SHOWN = 10


class Share(click.ParamType[Fraction]):
    name = "share"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        try:
            share = Fraction(value)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is no number", param, ctx)
        if not 0 <= share <= COVER_LIMIT:
            self.fail(f"must be between 0 and {COVER_LIMIT}", param, ctx)
        return share


@click.command("import")
@order_file_options
@click.option(
    "--cover",
    type=Share(),
    default="0.95",
    show_default=True,
    help="Opening stock as a share of what each SKU sold in each warehouse.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the lines that were left out are listed; default: under ONHAND_HOME/reports.",
)
@server_options
def import_command(
    file: Path,
    columns: tuple[str, ...],
    encoding: str,
    date_format: str,
    cover: Fraction,
    report: Path | None,
    url: str,
    token: str,
) -> None:
    """Load a shop from FILE, its order lines as CSV or parquet.

    Reads the columns of the UCI Online Retail data, in any usual spelling. Fills the catalogue and
    three warehouses, and receives opening stock. Importing the same file again does nothing twice.
    """
    console = Console()
    with told_in_one_line():
        settings = current_settings()
        source = order_file(file, columns, encoding, date_format)
        server = resolved(Server(url, token), settings, Role.ADMIN)
        path = report or report_path(settings, source)
        done = uvloop.run(import_file(console, server, source, cover, path))
    if done.refused:
        raise click.ClickException(f"the server refused {len(done.refused):,} rows: see {path}")


def report_path(settings: Settings, source: OrderFile) -> Path:
    """One report per content of a file."""
    return settings.home / "reports" / f"{source.path.stem}-{digest(source.path)[:12]}.csv"


async def import_file(
    console: Console, server: Server, source: OrderFile, cover: Fraction, path: Path
) -> Imported:
    async with visit(server, CONNECTIONS) as door:
        with stages(console) as bars, open_report(path) as report:
            tally = Tally()
            shop = read_shop(source, tally, report, bars)
            done = await loaded(door, source, shop, cover, bars)
            report.refusals(done.refused)
    show_lines(console, tally)
    show_imported(console, done)
    console.print(f"Every line that was left out is listed in {path}", soft_wrap=True)
    return done


def read_shop(source: OrderFile, tally: Tally, report: Report, bars: Stages) -> ShopInput:
    shop = ShopInput()
    show = reading(bars)

    def seen(batch: Batch) -> None:
        report.lines(batch.lines)
        show(batch)

    for line in sold_lines(source, tally, seen):
        shop.add(line)
    return shop


async def loaded(
    door: Door, source: OrderFile, shop: ShopInput, cover: Fraction, bars: Stages
) -> Imported:
    totals = {SKUS: len(shop.skus), OPENING: len(shop.opening(cover))}
    done = dict.fromkeys(totals, 0)

    def step(stage: str, by: int) -> None:
        done[stage] += by
        bars.reach(stage, done[stage], totals[stage])

    loading = Loading(digest(source.path), cover, CONNECTIONS, step)
    return await load_shop(door, WAREHOUSES, shop, loading)


def show_imported(console: Console, done: Imported) -> None:
    rows = [
        ("warehouses", done.warehouses),
        ("SKUs", done.skus),
        ("cells with opening stock", done.cells),
        ("units received", done.units),
    ]
    show_table(console, "Loaded", ("", "accepted"), rows)
    refused = [tuple(row) for row in done.refused[:REFUSED_SHOWN]]
    show_table(console, "Refused (the first ones)", ("what", "code", "message"), refused)
