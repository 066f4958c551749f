"""`onhand token`: a signed token for development, to paste into GraphiQL."""

import click
from rich.console import Console

from api.tokens import DAYS_LIMIT, sign
from domain.access import Role
from infra.clock import SystemClock
from infra.credentials import secret_key
from infra.settings import SettingsError, current_settings
from services.grants import bad_scope, scope_of

DAYS = 1


@click.command("token")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--days", type=click.IntRange(1, DAYS_LIMIT), default=DAYS, show_default=True)
@click.option("--subject", default="", help="Who it is for; stored with what they do.")
@click.option("--warehouse", multiple=True, help="Only this warehouse; may be repeated.")
@click.option("--region", multiple=True, help="Only warehouses of this region; may be repeated.")
@click.option("--category", multiple=True, help="Only SKUs of this category; may be repeated.")
@click.option("--channel", multiple=True, help="Only orders of this channel; may be repeated.")
def token_command(
    role: str,
    days: int,
    subject: str,
    warehouse: tuple[str, ...],
    region: tuple[str, ...],
    category: tuple[str, ...],
    channel: tuple[str, ...],
) -> None:
    """Print a token for a caller with this role, for development."""
    given = {
        "warehouses": warehouse,
        "regions": region,
        "categories": category,
        "channels": channel,
    }
    scope = scope_of({dimension: names or None for dimension, names in given.items()})
    if bad := bad_scope("scope", scope):
        raise click.ClickException(f"{bad.field} {bad.message}")
    try:
        settings = current_settings()
        if settings.is_production:
            raise SettingsError(
                "production takes no development tokens: sign in, or use an API key"
            )
        secret = secret_key(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    token = sign(secret, subject or role, Role(role), days, SystemClock().now(), scope)
    Console().print(token, markup=False, highlight=False, soft_wrap=True)
