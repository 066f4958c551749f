"""`onhand settings`: what is set, with nothing secret in it."""

import click
from rich.console import Console
from rich.table import Table

from infra.settings import SettingsError, current_settings


@click.command("settings")
def settings_command() -> None:
    """Print every setting with its value and meaning, secrets masked."""
    try:
        shown = current_settings().shown()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    table = Table("variable", "value", "meaning")
    for name, value, meaning in shown:
        table.add_row(name, value, meaning)
    Console().print(table, markup=False)
