"""Brings the tables of ONHAND_DATABASE_URL up to date, as the role that owns them, and gives the
other role what it needs: a process that the supervisor waits for while Ray starts, and which says
in one line why it could not. No other process is told the owner's password."""

import asyncio
import sys

import asyncpg

from infra.database import migrate
from infra.grants import grant, role_of
from infra.outage import Outage
from infra.settings import Settings, current_settings


async def prepared(settings: Settings) -> None:
    owner_url = settings.migration_url or settings.database_url
    await migrate(owner_url)
    role = role_of(settings.database_url)
    if role == role_of(owner_url):
        return
    try:
        await grant(owner_url, role)
    except (OSError, asyncpg.PostgresError) as error:
        raise Outage(f"the role {role} cannot be given its rights: {error}") from error


def main() -> None:
    try:
        asyncio.run(prepared(current_settings()))
    except Outage as outage:
        sys.exit(outage.message.splitlines()[0])


if __name__ == "__main__":
    main()
