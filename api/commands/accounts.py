"""`onhand remove-second-factor` and `onhand close-account`: what whoever has the machine does to
somebody's account."""

from collections.abc import Awaitable, Callable

import click
import uvloop
from rich.console import Console

from infra.clock import Clock, SystemClock
from infra.database import LOST, close_database, open_database
from infra.outage import Outage
from infra.running import attached
from infra.settings import Settings, SettingsError, current_settings
from infra.trail import Trail
from services.by_machine import close_account, take_off_factor

CONNECTIONS = 2
Act = Callable[[Trail, Clock, str], Awaitable[str | None]]
EMAIL = click.option("--email", required=True, help="The e-mail address of the account.")


@click.command("remove-second-factor")
@EMAIL
def remove_second_factor_command(email: str) -> None:
    """Take the second factor off an account of the shop that is being served.

    Its person enrols another one with enrolSecondFactor. The trail keeps that it was done.
    """
    carry_out(take_off_factor, email)
    Console().print(f"{email} has no second factor any more.", markup=False, highlight=False)


@click.command("close-account")
@EMAIL
def close_account_command(email: str) -> None:
    """Close an account of the shop that is being served, where nobody is there to grant it.

    It ends its sessions and stops its keys within seconds; setUserActive opens it again. The last
    owner stays. The trail keeps that it was done.
    """
    carry_out(close_account, email)
    Console().print(f"{email} is closed.", markup=False, highlight=False)


def carry_out(act: Act, email: str) -> None:
    try:
        refused = uvloop.run(done(attached(current_settings()), act, email))
    except (SettingsError, Outage, *LOST) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise click.ClickException(line) from error
    if refused is not None:
        raise click.ClickException(refused)


async def done(settings: Settings, act: Act, email: str) -> str | None:
    await open_database(settings.database_url, CONNECTIONS)
    try:
        return await act(Trail(), SystemClock(), email)
    finally:
        await close_database()
