"""The waiting room on a real Redis and a real PostgreSQL, also when Redis forgets everything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from domain.access import Role, everywhere
from domain.commands import CellKey
from domain.flash_sales import pool_of
from domain.waiting_room import TicketState
from infra.cache import Cache
from infra.database import close_database, open_database
from services import tickets
from services.rooms import Pace, Rooms
from services.runtime import Runtime
from services.tickets import Ticket
from services.whereabouts import Whereabouts
from tests.actors.world import FakeClock
from tests.integration.shop import Servers, furnish, servers

CALLER = everywhere("web", Role.STOREFRONT)
SALE_ROW = """
INSERT INTO flash_sale (id, name, opens_at, closes_at, ttl_seconds, waiting_room,
  admitted_per_second, state, revision, fingerprint, created_by, created_at, touched_at, is_settled)
VALUES ($1, 'Mugs', $2, $3, 60, true, 10, 'open', 1, 1, 'ann', $2, $2, false)
"""
POOL = "UPDATE cell SET pools = jsonb_build_object($1::text, $2::int) WHERE id = 1"
BUY = """
INSERT INTO hold (reservation_id, cell_id, quantity, deducted, state, deadline, pool, seq,
  available_after, customer, caller, created_at)
VALUES (gen_random_uuid(), 1, 1, 0, $3, $4, $1, 1, 0, $2, 'web', $4)
"""


@dataclass(frozen=True)
class Sale:
    id: UUID
    opens_at: datetime
    closes_at: datetime
    allotments: dict[CellKey, int]
    waiting_room: bool = True
    admitted_per_second: int = 10
    ttl_seconds: int = 60


class Shop:
    """One sale; `rt` and `other` are two API processes."""

    def __init__(self, parts: Servers, connection: asyncpg.Connection, sale: Sale) -> None:
        self.parts = parts
        self.connection = connection
        self.sale = sale
        self.clock = FakeClock()
        self.caches = [Cache.connect(parts.settings.redis_url) for _ in range(2)]
        self.rt, self.other = (self.process(cache) for cache in self.caches)

    def process(self, cache: Cache) -> Runtime:
        nobody = cast(Any, None)
        return Runtime(
            settings=replace(self.parts.settings, secret_key="a key that is long enough for us"),
            clock=self.clock,
            stock=nobody,
            cache=cache,
            hub=nobody,
            catalogue=nobody,
            whereabouts=Whereabouts(),
            rooms=Rooms(pace=Pace(tick_seconds=0.01, fresh_seconds=-1.0)),
        )

    async def join(self, customer: str, rt: Runtime | None = None) -> Ticket:
        made = await tickets.join(rt or self.rt, CALLER, self.sale.id, customer)
        assert isinstance(made, Ticket), made
        return made

    async def ticket(self, id: str) -> Ticket:
        found = await tickets.ticket(self.other, CALLER, id)
        assert isinstance(found, Ticket), found
        return found

    async def units(self, left: int) -> None:
        await self.connection.execute(POOL, pool_of(self.sale.id), left)

    async def buy(self, customer: str, state: int = 0) -> None:
        await self.connection.execute(BUY, pool_of(self.sale.id), customer, state, self.clock.now())

    async def later(self, seconds: float = 1.0) -> int:
        self.clock.tick(seconds=seconds)
        return await tickets.advance(self.rt, self.sale)

    async def lose(self) -> None:
        """FLUSHALL, as an operator would type it."""
        reader, writer = await asyncio.open_unix_connection(str(self.parts.redis.socket))
        writer.write(f"AUTH {self.parts.redis.password}\r\nFLUSHALL\r\n".encode())
        assert [await reader.readline() for _ in range(2)] == [b"+OK\r\n"] * 2
        writer.close()
        await writer.wait_closed()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
async def shop(parts: Servers) -> AsyncIterator[Shop]:
    connection = await furnish(parts.settings)
    await connection.execute("TRUNCATE flash_sale, flash_sale_queue, flash_sale_admission CASCADE")
    await connection.execute("DELETE FROM hold")
    await open_database(parts.settings.database_url)
    begun = FakeClock().now()
    ends = begun + timedelta(hours=1)
    sale = Sale(UUID(int=hash(begun) % 2**64), begun, ends, {CellKey("S1", "W"): 100})
    await connection.execute(SALE_ROW, sale.id, sale.opens_at, sale.closes_at)
    opened = Shop(parts, connection, sale)
    await opened.lose()
    await opened.units(100)
    try:
        yield opened
    finally:
        for cache in opened.caches:
            await cache.close()
        await close_database()
        await connection.close()


async def test_a_crowd_that_joins_two_processes_gets_dense_places_one_each(shop: Shop) -> None:
    names = [f"C{number % 300}" for number in range(900)]
    asked = [shop.join(n, shop.other if i % 2 else shop.rt) for i, n in enumerate(names)]
    made = await asyncio.gather(*asked)
    places = {(one.customer, one.place) for one in made}
    assert sorted(place for _, place in places) == list(range(1, 301))
    highest = await shop.connection.fetchval("SELECT highest_place FROM flash_sale_queue")
    assert highest == 300


async def test_who_joins_first_is_let_in_first_at_the_rate_of_the_sale(shop: Shop) -> None:
    made = [await shop.join(f"C{number}") for number in range(25)]
    assert await shop.later() == 10
    assert await shop.later(0.5) == 5
    states = [(await shop.ticket(one.id)).state for one in made]
    assert states == [TicketState.ADMITTED] * 15 + [TicketState.WAITING] * 10


async def test_units_that_may_still_be_bought_are_promised_once(shop: Shop) -> None:
    await shop.units(4)
    for number in range(12):
        await shop.join(f"C{number}")
    assert await shop.later() == 4
    assert await shop.later() == 0
    await shop.buy("C0")
    await shop.units(3)
    assert await shop.later() == 0
    await shop.units(5)
    assert await shop.later() == 2


async def test_an_admission_that_lapses_lets_in_the_next(shop: Shop) -> None:
    await shop.units(1)
    ann, bob = [await shop.join(name) for name in ("ann", "bob")]
    assert await shop.later() == 1
    assert await shop.later(59) == 0
    assert await shop.later(1) == 1
    assert (await shop.ticket(ann.id)).state is TicketState.LAPSED
    assert (await shop.ticket(bob.id)).state is TicketState.ADMITTED
    assert (await shop.join("ann")).place == 3


async def test_sold_out_is_said_when_the_last_hold_is_paid(shop: Shop) -> None:
    await shop.units(1)
    ann, bob = [await shop.join(name) for name in ("ann", "bob")]
    await shop.later()
    await shop.buy("ann")
    await shop.units(0)
    await shop.later()
    assert (await shop.ticket(bob.id)).state is TicketState.WAITING
    await shop.connection.execute("UPDATE hold SET state = 1, deadline = NULL")
    await shop.later()
    assert (await shop.ticket(bob.id)).state is TicketState.SOLD_OUT
    assert (await shop.ticket(ann.id)).state is TicketState.ADMITTED


async def test_a_redis_that_forgets_everything_loses_no_place_and_nobody_let_in(
    shop: Shop,
) -> None:
    made = [await shop.join(f"C{number}") for number in range(30)]
    await shop.later()
    admitted = await shop.ticket(made[3].id)
    await shop.lose()
    assert tickets.admitted(shop.other, shop.sale, "C3", admitted.token) == tickets.admitted(
        shop.rt, shop.sale, "C3", (await shop.ticket(made[3].id)).token
    )
    asked = [shop.join(f"N{number}", shop.other) for number in range(20)]
    new = await asyncio.gather(*asked, *(shop.ticket(one.id) for one in made))
    assert sorted(one.place for one in new) == list(range(1, 51))
    for one in made:
        assert (await shop.ticket(one.id)).place == one.place
        assert (await shop.join(one.customer)).place == one.place
    assert await shop.later() == 10
    named = "SELECT customer FROM flash_sale_admission WHERE place BETWEEN 11 AND 20 ORDER BY place"
    let_in = [row[0] for row in await shop.connection.fetch(named)]
    assert let_in == [f"C{number}" for number in range(10, 20)]


async def test_joining_while_redis_forgets_again_and_again_gives_no_place_twice(
    shop: Shop,
) -> None:
    made: list[Ticket] = []

    async def crowd(process: int) -> None:
        rt = (shop.rt, shop.other)[process % 2]
        made.extend([await shop.join(f"{process}-{number}", rt) for number in range(60)])

    async def forgetting() -> None:
        for _ in range(15):
            await shop.lose()
            await asyncio.sleep(0.01)

    await asyncio.gather(*(crowd(process) for process in range(8)), forgetting())
    places = [one.place for one in made]
    assert len(set(places)) == len(places) == 480


async def test_a_redis_started_again_with_old_data_gives_no_place_twice(shop: Shop) -> None:
    await asyncio.gather(*(shop.join(f"C{number}") for number in range(5)))
    await shop.connection.execute("UPDATE flash_sale_queue SET highest_place = 40")
    await asyncio.to_thread(shop.parts.redis.stop)
    await asyncio.to_thread(shop.parts.redis.start)
    process = shop.process(Cache.connect(shop.parts.settings.redis_url))
    try:
        assert (await shop.join("new", process)).place > 40
    finally:
        await process.cache.close()


async def test_two_leaders_let_in_the_same_buyers_once(shop: Shop) -> None:
    for number in range(30):
        await shop.join(f"C{number}")
    shop.clock.tick(seconds=1)
    both = (tickets.advance(rt, shop.sale) for rt in (shop.rt, shop.other))
    await asyncio.gather(*both, return_exceptions=True)
    row = await shop.connection.fetchrow(
        "SELECT count(*), max(place), (SELECT admitted_upto FROM flash_sale_queue)"
        " FROM flash_sale_admission"
    )
    assert tuple(row) == (10, 10, 10)
