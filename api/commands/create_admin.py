"""`onhand create-admin`: the first owner of the shop, who makes everybody else's account.

The password is typed twice, or read from a file or from standard input: never an argument, which
other users of the machine could read. There is no default one.
"""

import sys
from pathlib import Path

import click
import uvloop
from rich.console import Console

from infra.clock import SystemClock
from infra.database import LOST, close_database, open_database
from infra.outage import Outage
from infra.passwords import Costs, Passwords
from infra.running import attached
from infra.settings import Settings, SettingsError, current_settings
from services.first_owner import Owner, make_owner

CONNECTIONS = 2
READ_LIMIT = 4_096
"""Characters read from a file or standard input."""
STDIN = "-"


@click.command("create-admin")
@click.option("--email", required=True, help="The e-mail address to sign in with.")
@click.option("--name", default="", help="What others call the person; default: the address.")
@click.option(
    "--password-file",
    default="",
    metavar="FILE",
    help="Its first line is the password; - reads standard input. Default: it is asked for.",
)
def create_admin_command(email: str, name: str, password_file: str) -> None:
    """Make an owner of the shop that is being served.

    While the shop has an owner, a further one is made with createUser and grantRole instead.
    """
    owner = Owner(email, name or email, password_from(password_file))
    try:
        refused = uvloop.run(created(attached(current_settings()), owner))
    except (SettingsError, Outage, *LOST) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise click.ClickException(line) from error
    if refused is not None:
        raise click.ClickException(refused)
    Console().print(f"{email} owns the shop: sign in with signIn.", markup=False, highlight=False)


async def created(settings: Settings, owner: Owner) -> str | None:
    await open_database(settings.database_url, CONNECTIONS)
    try:
        costs = Costs(settings.password_memory_kib, settings.password_passes)
        return await make_owner(Passwords(costs), SystemClock(), owner)
    finally:
        await close_database()


def password_from(file: str) -> str:
    if not file:
        return click.prompt("Password", hide_input=True, confirmation_prompt=True, type=str)
    try:
        if file == STDIN:
            text = sys.stdin.read(READ_LIMIT)
        else:
            with Path(file).open(encoding="utf-8") as opened:
                text = opened.read(READ_LIMIT)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(f"the password cannot be read: {error}") from error
    return (text.splitlines() or [""])[0]
