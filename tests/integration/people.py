"""People in a real database, with passwords that cost little and a clock that is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from infra.credentials import new_secret
from infra.database import close_database, connection, migrate, open_database
from infra.identity_models import Person
from infra.passwords import Costs, Passwords
from infra.settings import Settings
from services.catalogue_cache import CatalogueCache
from services.runtime import Runtime
from tests.actors.fake_store import FakeStore
from tests.actors.world import FakeClock
from tests.services.world import OWNERS, open_shop

CHEAP = Costs(memory_kib=8, passes=1)
SECRET = new_secret()
GOOD = "three grey otters at noon"
ANN = "ann@shop.example"
EMPTY = """TRUNCATE person, person_grant, session_family, sign_in_failure, api_key
  RESTART IDENTITY CASCADE"""


@dataclass(frozen=True, slots=True)
class People:
    rt: Runtime
    clock: FakeClock


@asynccontextmanager
async def people(url: str) -> AsyncIterator[People]:
    await migrate(url)
    await open_database(url)
    await connection().execute_query(EMPTY)
    clock = FakeClock()
    try:
        async with open_shop([FakeStore([], [])] * OWNERS, clock, CatalogueCache()) as shop:
            settings = Settings.load({"ONHAND_SECRET_KEY": SECRET})
            rt = replace(shop.rt, settings=settings, passwords=Passwords(CHEAP))
            yield People(rt, clock)
    finally:
        await close_database()


async def with_account(here: People, email: str = ANN, password: str | None = GOOD) -> Person:
    kept = None if password is None else await here.rt.passwords.hashed(password)
    return await Person.create(
        id=here.clock.new_id(),
        email=email,
        name=email,
        password_hash=kept,
        fingerprint=0,
        created_by="test",
        created_at=here.clock.now(),
    )
