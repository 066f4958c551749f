"""Brings the tables of ONHAND_DATABASE_URL up to date: a process that the supervisor waits for
while Ray starts, and which says in one line why it could not."""

import asyncio
import sys

from infra.database import migrate
from infra.outage import Outage
from infra.settings import current_settings


def main() -> None:
    try:
        asyncio.run(migrate(current_settings().database_url))
    except Outage as outage:
        sys.exit(outage.message.splitlines()[0])


if __name__ == "__main__":
    main()
