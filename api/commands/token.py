"""`onhand token`: a signed token for development, to paste into GraphiQL."""

import click
from rich.console import Console

from api.tokens import DAYS_LIMIT, sign
from domain.access import Role
from infra.clock import SystemClock
from infra.credentials import secret_key
from infra.settings import SettingsError, current_settings

DAYS = 1


@click.command("token")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--days", type=click.IntRange(1, DAYS_LIMIT), default=DAYS, show_default=True)
@click.option("--subject", default="", help="Who it is for; stored with what they do.")
def token_command(role: str, days: int, subject: str) -> None:
    """Print a token for a caller with this role, for development."""
    try:
        settings = current_settings()
        if settings.is_production:
            raise SettingsError(
                "production takes no development tokens: sign in, or use an API key"
            )
        secret = secret_key(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    token = sign(secret, subject or role, Role(role), days, SystemClock().now())
    Console().print(token, markup=False, highlight=False, soft_wrap=True)
