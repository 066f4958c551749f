"""import, replay and demo on the command line, as far as they come without a server."""

import io
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from api.commands.demo import demo_command
from api.commands.flash_sale import flash_sale_command
from api.commands.flash_sale_report import show_history, show_verdict
from api.commands.import_ import import_command
from api.commands.replay import replay_command, show_figures
from api.commands.visiting import default_url, told_in_one_line
from api.progress import stages
from infra.outage import Outage
from infra.settings import Settings
from services.door import DoorError
from services.figures import Call, Ending, Figures
from services.sale_history import History
from services.sale_verdict import TOLD_LIMIT, Fault, Verdict
from tests.services import sale_world

Ran = Callable[..., Result]


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    def run(command: click.Command, *arguments: str) -> Result:
        home = {"ONHAND_HOME": str(tmp_path / "home")}
        return CliRunner().invoke(command, arguments, env=home, catch_exceptions=False)

    return run


@pytest.fixture
def orders(tmp_path: Path) -> str:
    path = tmp_path / "orders.csv"
    path.write_text("InvoiceNo\n1\n")
    return str(path)


def test_a_column_that_means_nothing_is_one_line(ran: Ran, orders: str) -> None:
    for command in (import_command, replay_command):
        result = ran(command, orders, "--column", "colour=Farbe")
        assert result.exit_code == 1
        assert result.output.startswith("Error: --column colour=Farbe: say OURS=THEIRS")


def test_commands_go_where_the_certificate_has_its_name() -> None:
    tls = {"ONHAND_TLS_CERTIFICATE": "c.pem", "ONHAND_TLS_KEY": "k.pem"}
    public = {"ONHAND_PUBLIC_URL": "https://stock.shop.example"}
    assert default_url(Settings.load(tls | public)) == "https://stock.shop.example"
    assert default_url(Settings.load(tls)) == "https://127.0.0.1:8000"
    assert default_url(Settings.load(public)) == "http://127.0.0.1:8000"


def test_a_file_that_is_not_there_is_a_usage_error(ran: Ran) -> None:
    result = ran(import_command, "nowhere.csv")
    assert result.exit_code == 2
    assert "'nowhere.csv' does not exist" in result.output


@pytest.mark.parametrize("cover", ["much", "-1", "1/0", "101"])
def test_a_cover_that_is_no_share_is_a_usage_error(ran: Ran, orders: str, cover: str) -> None:
    result = ran(import_command, orders, "--cover", cover)
    assert result.exit_code == 2


def test_the_demo_can_be_written_to_a_file(ran: Ran, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    result = ran(demo_command, "--write", str(path), "--days", "3", "--first-day", "2025-06-01")
    assert result.exit_code == 0
    head, first, *_ = path.read_text().splitlines()
    assert head.startswith("InvoiceNo,StockCode")
    assert "2025-06-01" in first


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DoorError("nobody is there"), "nobody is there"),
        (Outage("silence"), "the server stopped answering: silence; run the same again"),
        (KeyboardInterrupt(), "broken off; run the same again"),
    ],
)
def test_what_goes_wrong_is_told_in_one_line(error: BaseException, message: str) -> None:
    with pytest.raises(click.ClickException, match=message), told_in_one_line():
        raise error


def test_progress_is_plain_lines_where_there_is_no_terminal() -> None:
    console = Console(file=io.StringIO())
    with stages(console) as bars:
        for done in range(1, 2_001):
            bars.reach("invoices", done, 2_000, "9 mutations/s")
        bars.reach("invoices", 2_000, 2_000)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == [
        "invoices: 1 of 2,000 9 mutations/s",
        "invoices: 2,000 of 2,000 9 mutations/s",
    ]


def test_a_replay_ends_with_its_figures() -> None:
    figures = Figures(elapsed_seconds=2.0)
    figures.endings[Ending.DELIVERED] = 1_234
    figures.seconds[Call.RESERVE] = [0.001 * n for n in range(1, 101)]
    figures.refusals[Call.RESERVE, "INSUFFICIENT_STOCK"] = 7
    console = Console(file=io.StringIO(), width=100)
    show_figures(console, figures, repeated=3)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for words in ("1,234", "reserve", "51.0", "100.0", "INSUFFICIENT_STOCK", "50"):
        assert words in shown


def test_a_crowd_without_a_curve_is_one_line(ran: Ran, tmp_path: Path) -> None:
    path = tmp_path / "crowd.parquet"
    path.write_bytes(b"no parquet")
    result = ran(flash_sale_command, "--arrivals", str(path), "--url", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert result.output.startswith("Error: crowd.parquet cannot be read")


@pytest.mark.parametrize("option", [("--units", "0"), ("--rps", "0"), ("--buyers", "many")])
def test_a_sale_without_units_or_buyers_is_a_usage_error(ran: Ran, option: tuple[str, str]) -> None:
    assert ran(flash_sale_command, *option).exit_code == 2


def test_the_report_of_a_sale_names_every_fault() -> None:
    console = Console(file=io.StringIO(), width=100)
    offer = sale_world.offer(units=4)
    told = Verdict(3, 1, 0, {fault: [] for fault in Fault} | {Fault.OVERSOLD: ["one too many"] * 9})
    show_history(console, History())
    show_verdict(console, offer, told)
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert output.count("oversold: one too many") == TOLD_LIMIT
    assert all(fault.value in output for fault in Fault)
