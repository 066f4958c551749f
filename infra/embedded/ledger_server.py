"""The embedded PostgreSQL as the shop uses it: by a role that owns no table. Only migrations
know the one that does."""

import asyncio

from infra.credentials import kept
from infra.embedded.places import Places
from infra.embedded.postgres import NAME, Postgres
from infra.grants import admit

ROLE = "onhand_app"


class LedgerServer:
    """`start` returns the URL of that role."""

    name = Postgres.name

    def __init__(self, places: Places) -> None:
        self.postgres = Postgres(places)
        self.password = kept(places.home / "postgres-app.key")

    @property
    def owner_url(self) -> str:
        return self.postgres.url

    def start(self) -> str:
        asyncio.run(admit(self.postgres.start(), ROLE, self.password))
        owner = f"//{NAME}:{self.postgres.password}@"
        return self.owner_url.replace(owner, f"//{ROLE}:{self.password}@", 1)

    def is_alive(self) -> bool:
        return self.postgres.is_alive()

    def stop(self) -> None:
        self.postgres.stop()
