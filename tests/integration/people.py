"""People in a real database, with passwords that cost little and a clock that is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from domain.access import Caller, Grant, Role, Scope
from infra.credentials import new_secret
from infra.database import close_database, connection, migrate, open_database
from infra.identity_models import Person, PersonGrant
from infra.passwords import Costs, Passwords
from infra.settings import Settings
from services import people_acts
from services.api_keys import CreateApiKey, Issued
from services.catalogue_cache import CatalogueCache
from services.runtime import Runtime
from services.sessions import Session, SignIn, sign_in
from tests.actors.fake_store import FakeStore
from tests.actors.world import FakeClock, rid
from tests.services.world import OWNERS, open_shop

CHEAP = Costs(memory_kib=8, passes=1)
SECRET = new_secret()
GOOD = "three grey otters at noon"
ANN = "ann@shop.example"
BOB = "bob@shop.example"
OTHER = "seven quiet lamps in may"
ADMIN, OWNER, ANALYST = Grant(Role.ADMIN), Grant(Role.OWNER), Grant(Role.ANALYST)
KEY = CreateApiKey(rid(50), "till", (ANALYST,))
T = TypeVar("T")
EMPTY = """TRUNCATE approval, approval_code, person, person_grant, session_family, sign_in_failure,
  api_key, second_factor RESTART IDENTITY CASCADE"""


@dataclass(frozen=True, slots=True)
class People:
    rt: Runtime
    clock: FakeClock


@asynccontextmanager
async def people(url: str, store: FakeStore | None = None) -> AsyncIterator[People]:
    await migrate(url)
    await open_database(url)
    await connection().execute_query(EMPTY)
    clock = FakeClock()
    try:
        stores = [store or FakeStore([], [])] * OWNERS
        async with open_shop(stores, clock, CatalogueCache()) as shop:
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


async def holder(here: People, email: str, *grants: Grant) -> Caller:
    """Somebody with a password and these grants."""
    person = await with_account(here, email)
    for grant in grants:
        await PersonGrant.create(
            id=here.clock.new_id(),
            person_id=person.id,
            role=grant.role,
            scope={} if grant.scope == Scope() else {"warehouses": ["BER"]},
            fingerprint=0,
            granted_by="test",
            granted_at=here.clock.now(),
        )
    return Caller(email, grants, person.id)


def good(kind: type[T], answer: object) -> T:
    assert isinstance(answer, kind), answer
    return answer


async def session_of(here: People, email: str, password: str = GOOD) -> Session:
    return good(Session, await sign_in(here.rt, SignIn(email, password)))


async def issued(here: People, caller: Caller, command: CreateApiKey = KEY) -> str:
    secret = good(Issued, await people_acts.create_key(here.rt, caller, command)).secret
    assert secret is not None
    return secret
