"""What commands share that work on a running server from outside: which file, which server, whose
token, and one line where something is wrong."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from api.progress import Stages
from api.tables import show_table
from api.tokens import sign
from connectors.http_sender import http_sender
from connectors.order_columns import BadOrderFile, named_columns
from connectors.order_lines import DATE_FORMAT, Batch, OrderFile, Tally
from connectors.order_rules import EXPLANATIONS, Dirt, LineClass
from connectors.public_api import PublicApi
from domain.access import Role
from infra.clock import SystemClock
from infra.credentials import secret_key
from infra.outage import Outage
from infra.settings import Settings, SettingsError
from services.door import DoorError

TOKEN_DAYS = 1
SUBJECT = "command-line"
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; empty values stand for the one of this home."""

    url: str
    token: str


def all_of(*decorators: Decorator) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


order_file_options = all_of(
    click.argument(
        "file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=THEIRS",
        help="Names a column of the file, as quantity=Qty; may be repeated.",
    ),
    click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV."),
    click.option(
        "--date-format",
        default=DATE_FORMAT,
        show_default=True,
        help="Of a CSV's dates that are not ISO 8601.",
    ),
)
server_options = all_of(
    click.option("--url", default="", help="The server; default: the one of these settings."),
    click.option(
        "--token",
        default="",
        help="An API key or token; default, in development: signed with our key.",
    ),
)


def order_file(file: Path, columns: tuple[str, ...], encoding: str, date_format: str) -> OrderFile:
    return OrderFile(file, named_columns(columns), encoding, date_format)


def resolved(server: Server, settings: Settings, role: Role) -> Server:
    token = server.token
    if not token:
        if settings.is_production:
            raise SettingsError(
                "production takes no development tokens: give an API key as --token"
            )
        now = SystemClock().now()
        token = sign(secret_key(settings), SUBJECT, role, TOKEN_DAYS, now)
    return Server(server.url or default_url(settings), token)


def default_url(settings: Settings) -> str:
    """A certificate is for the public name."""
    return settings.public_url if settings.has_tls and settings.public_url else settings.own_url


@asynccontextmanager
async def visit(server: Server, connections: int) -> AsyncIterator[PublicApi]:
    """The server's door. Raises DoorError at once if nobody is there."""
    async with http_sender(server.url, server.token, connections) as send:
        try:
            await PublicApi(send, patience_seconds=0.0).has_catalogue()
        except Outage as outage:
            raise DoorError(f"{server.url} does not answer: {outage.message}") from outage
        yield PublicApi(send)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    try:
        yield
    except (BadOrderFile, DoorError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    except Outage as outage:
        raise click.ClickException(
            f"the server stopped answering: {outage.message}; "
            "run the same again later: it goes on, and does nothing twice"
        ) from outage
    except OSError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException(
            "broken off; run the same again: it goes on, and does nothing twice"
        ) from None


def reading(stages: Stages) -> Callable[[Batch], None]:
    """Shows how much of the file is read, in per cent."""
    return lambda batch: stages.reach("reading, per cent", round(batch.read * 100), 100)


def show_lines(console: Console, tally: Tally) -> None:
    """Every input line by class and reason; the classes add up to the total."""
    from_top = sorted(tally.classes.items(), key=lambda item: -item[1])
    rows = [(line_class.value, count) for line_class, count in from_top]
    show_table(console, "Order lines", ("class", "lines"), [*rows, ("all", tally.total)])
    reasons = [
        (line_class.value, named(line_class, reason), count)
        for (line_class, reason), count in tally.reasons.most_common()
    ]
    show_table(console, "Left out, by reason", ("class", "reason", "lines"), reasons)


def named(line_class: LineClass, reason: str) -> str:
    if line_class is not LineClass.DIRTY:
        return reason
    return f"{reason}: {EXPLANATIONS[Dirt(reason)]}"
