"""`onhand serve` and `onhand up`: everything, in one command, until Ctrl-C."""

import signal
import threading

import click
from rich.console import Console

from api.board import board
from api.serve import serve
from api.tokens import sign
from domain.access import Role
from infra.clock import SystemClock
from infra.embedded.process import StartError
from infra.outage import Outage
from infra.settings import Settings, SettingsError, current_settings

SAMPLE_DAYS = 1
SAMPLE_SUBJECT = "sample"


@click.command("serve")
def serve_command() -> None:
    """Start PostgreSQL, NATS, Redis, Ray, the owners, the relay and the API, and stay up."""
    run(with_demo=False)


@click.command("up")
def up_command() -> None:
    """The same as serve; an empty catalogue is filled with a demo shop that moves."""
    run(with_demo=True)


def run(with_demo: bool) -> None:
    console = Console()
    shown = board(console)
    stopping = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stopping.set())

    def greet(settings: Settings) -> None:
        shown.settle()
        for line in greeting(settings):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    try:
        serve(current_settings(), shown, stopping, greet, with_demo)
    except (SettingsError, StartError, Outage) as error:
        shown.settle()
        raise click.ClickException(str(error).splitlines()[0]) from error
    finally:
        shown.settle()


def greeting(settings: Settings) -> list[str]:
    """Outside production there is GraphiQL, and its address carries the token: one click is
    enough."""
    url = settings.own_url
    page = f"  GraphQL    {url}/graphql"
    token = ["  sign in    onhand create-admin --email you@shop.example", ""]
    if not settings.is_production:
        now = SystemClock().now()
        admin = sign(settings.secret_key, SAMPLE_SUBJECT, Role.ADMIN, SAMPLE_DAYS, now)
        page = f"  GraphiQL   {url}/graphql#token={admin}"
        token = [f"  token      {admin}", "             (admin, for one day)", ""]
    return [
        "",
        "Onhand is up.",
        page,
        f"  health     {url}/health/ready",
        f"  metrics    {url}/metrics",
        f"  data       {settings.home}",
        "  docs       README.md, docs/architecture.md",
        *token,
    ]
