"""A waiting room in memory: the queue as Redis would keep it, and what PostgreSQL remembers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from domain.access import Role, everywhere
from domain.commands import CellKey
from domain.waiting_room import Admission, Standing
from infra.admissions import Admissions, Admitted, Mark, Progress, SaleRow
from infra.cache import CacheDown
from infra.waiting_room import Asked, Given, Queues
from services import tickets
from services.rooms import Pace, Rooms
from services.runtime import Runtime
from tests.api.shop import NOON, Shop, data, open_shop

SALE = UUID(int=7)
FIELDS = "id saleId customer place ahead estimatedWaitSeconds state token expiresAt"
JOIN = f"""
mutation ($sale: ID!, $customer: String!) {{
  joinFlashSale(saleId: $sale, customer: $customer) {{
    __typename
    ... on Ticket {{ {FIELDS} }}
    ... on Refusal {{ code message }}
    ... on SaleNotOpen {{ opensAt closedAt }}
    ... on Invalid {{ field }}
  }}
}}
"""
TICKET = f"query ($id: ID!) {{ ticket(id: $id) {{ {FIELDS} }} }}"


EVERY_READING = Pace(tick_seconds=0.001, fresh_seconds=-1.0)
CALLER = everywhere("web", Role.STOREFRONT)


@dataclass(frozen=True)
class Sale:
    id: UUID = SALE
    opens_at: datetime = NOON
    closes_at: datetime = NOON + timedelta(hours=1)
    waiting_room: bool = True
    admitted_per_second: int = 10
    ttl_seconds: int = 600
    allotments: dict[CellKey, int] | Any = None


SELLING = Sale(allotments={CellKey("MUG", "WEST"): 100})


class MemoryQueues(Queues):
    """`lose` forgets everything, as a Redis that was emptied does."""

    def __init__(self) -> None:
        self.is_down = False
        self.limit = 1_000
        self.steps = 0
        self.lose()

    def lose(self) -> None:
        self.mark = Mark(0, 0)
        self.places: dict[str, int] = {}
        self.names: dict[int, str] = {}

    def ask(self) -> None:
        if self.is_down:
            raise CacheDown("down")

    async def join(self, sale: UUID, asked: Sequence[Asked], until: datetime) -> Given | None:
        self.ask()
        if not self.mark.epoch:
            return None
        self.steps += 1
        return Given(self.mark.epoch, [self.place(*one) for one in asked])

    def place(self, customer: str, lapsed: int) -> int:
        known = self.places.get(customer, lapsed)
        if known != lapsed:
            return known
        if self.mark.highest_place >= self.limit:
            return 0
        self.mark = Mark(self.mark.epoch, self.mark.highest_place + 1)
        self.places[customer] = self.mark.highest_place
        self.names[self.mark.highest_place] = customer
        return self.mark.highest_place

    async def seed(self, sale: UUID, epoch: int, highest: int, until: datetime) -> None:
        self.ask()
        if epoch > self.mark.epoch:
            self.mark = Mark(epoch, max(highest, self.mark.highest_place))

    async def epoch(self, sale: UUID) -> int | None:
        self.ask()
        return self.mark.epoch or None

    async def put(self, sale: UUID, places: Mapping[str, int]) -> None:
        self.ask()
        for customer, place in places.items():
            self.places.setdefault(customer, place)
            self.names[place] = customer

    async def customers(self, sale: UUID, places: range) -> list[str | None]:
        self.ask()
        return [self.names.get(place) for place in places]


class MemoryAdmissions(Admissions):
    """One sale. `bought` are customers who have reserved; each has taken one of its units."""

    def __init__(self, **changed: object) -> None:
        given = {
            "opens_at": NOON,
            "closes_at": NOON + timedelta(hours=1),
            "closed_at": None,
            "state": "open",
            "waiting_room": True,
            "admitted_per_second": 10,
            "ttl_seconds": 600,
        }
        begun = {"epoch": None, "admitted_upto": 0, "is_sold_out": False}
        self.row = SaleRow(**given, **begun)  # type: ignore[arg-type]
        self.row = self.row._replace(**changed)  # type: ignore[arg-type]
        self.stored = Mark(0, 0)
        self.paced_at: datetime | None = None
        self.rows: dict[int, tuple[str | None, datetime]] = {}
        self.units = 100
        self.readings = 0
        self.unpaid = 0
        self.bought: set[str] = set()

    async def sale(self, sale_id: UUID) -> SaleRow | None:
        self.readings += 1
        return self.row if sale_id == SALE else None

    async def admissions(self, sale_id: UUID, after: int, since: datetime) -> list[Admission]:
        recent: dict[datetime, list[int]] = {}
        for place, (_, at) in self.rows.items():
            if place > after and at > since:
                recent.setdefault(at, []).append(place)
        return [Admission(min(one), max(one), at) for at, one in sorted(recent.items())]

    async def begin(self, sale_id: UUID) -> Mark:
        self.stored = Mark(self.stored.epoch + 1, self.stored.highest_place)
        self.row = self.row._replace(epoch=self.stored.epoch)
        return self.stored

    async def mark(self, sale_id: UUID) -> Mark | None:
        return self.stored if self.stored.epoch else None

    async def raise_highest(self, sale_id: UUID, epoch: int, place: int) -> bool:
        if epoch == self.stored.epoch:
            self.stored = Mark(epoch, max(place, self.stored.highest_place))
        return epoch == self.stored.epoch

    async def progress(
        self, sale_id: UUID, pool: str, skus: Sequence[str], since: datetime
    ) -> Progress | None:
        if not self.stored.epoch:
            return None
        pending = [name for name, at in self.rows.values() if at > since]
        standing = Standing(
            self.row.admitted_upto or 0,
            self.stored.highest_place,
            self.units - len(self.bought),
            self.unpaid,
            sum(name not in self.bought for name in pending),
        )
        return Progress(standing, bool(self.row.is_sold_out), self.paced_at)

    async def admit(self, sale_id: UUID, done: Admitted) -> None:
        self.paced_at = done.paced_at
        self.row = self.row._replace(admitted_upto=done.upto, is_sold_out=done.is_sold_out)
        for place, name in enumerate(done.customers, done.before + 1):
            self.rows[place] = (name, done.at)

    async def name(self, sale_id: UUID, places: Mapping[str, int]) -> None:
        for name, place in places.items():
            if place in self.rows and self.rows[place][0] is None:
                self.rows[place] = (name, self.rows[place][1])


class Waiting:
    """A shop whose only sale has a waiting room. Every reading is fresh."""

    def __init__(self, **changed: object) -> None:
        self.shop: Shop = open_shop()
        self.store = MemoryAdmissions(**changed)
        self.queues = MemoryQueues()
        self.rt: Runtime = replace(
            self.shop.rt, rooms=Rooms(self.store, self.queues, EVERY_READING)
        )
        self.shop.rt = self.rt

    async def join(self, client: httpx.AsyncClient, customer: str) -> Any:
        return await data(client, JOIN, {"sale": str(SALE), "customer": customer})

    async def ticket(self, client: httpx.AsyncClient, id: str) -> Any:
        return await data(client, TICKET, {"id": id})

    async def later(self, seconds: float = 1.0) -> int:
        self.shop.clock.time += timedelta(seconds=seconds)
        return await tickets.advance(self.rt, SELLING)
