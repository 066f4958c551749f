"""`onhand remove-second-factor`: for somebody who lost the authenticator and the recovery codes."""

import click
import uvloop
from rich.console import Console

from infra.clock import SystemClock
from infra.database import LOST, close_database, open_database
from infra.outage import Outage
from infra.running import attached
from infra.settings import Settings, SettingsError, current_settings
from infra.trail import Trail
from services.lost_factor import take_off

CONNECTIONS = 2


@click.command("remove-second-factor")
@click.option("--email", required=True, help="The e-mail address of the account.")
def remove_second_factor_command(email: str) -> None:
    """Take the second factor off an account of the shop that is being served.

    Its person enrols another one with enrolSecondFactor. The trail keeps that it was done.
    """
    try:
        refused = uvloop.run(removed(attached(current_settings()), email))
    except (SettingsError, Outage, *LOST) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise click.ClickException(line) from error
    if refused is not None:
        raise click.ClickException(refused)
    Console().print(f"{email} has no second factor any more.", markup=False, highlight=False)


async def removed(settings: Settings, email: str) -> str | None:
    await open_database(settings.database_url, CONNECTIONS)
    try:
        return await take_off(Trail(), SystemClock(), email)
    finally:
        await close_database()
