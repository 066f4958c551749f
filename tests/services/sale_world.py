"""A server's door to one flash sale, small enough to read, whose faults can be planted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.flash_sales import pool_of
from domain.ledger import Kind
from domain.states import ReservationState as State
from domain.waiting_room import TicketState
from infra.outage import Outage
from services.door import Done, Holding, Refused, SkuRow, WarehouseRow
from services.sale_buyers import Buyer, Temper
from services.sale_door import CellBooks, Movement, Place, SaleOffer, Wish
from services.sale_history import Case, History
from services.sale_verdict import Found, Terms, Verdict, judge

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SALE = UUID(int=7)


def offer(units: int = 3, admitted_per_second: int | None = None) -> SaleOffer:
    until = NOON + timedelta(hours=1)
    stock = {"WEST": units}
    return SaleOffer(SALE, "Mugs", "MUG", stock, NOON, until, 2, 10, admitted_per_second)


def buyer(
    number: int, temper: Temper = Temper.PAYS, customer: str | None = None, units: int = 1
) -> Buyer:
    return Buyer(number, 0.0, UUID(int=number), customer or f"C{number}", units, temper, 0.0)


class FakeDoor:
    """Sells right, unless `is_greedy` (never says no) or `forgets` (says yes, keeps nothing).
    `silent` calls do what they are asked and answer nothing; `early` looks see nobody let in."""

    def __init__(self, sale: SaleOffer) -> None:
        self.sale = sale
        self.left = sale.units
        self.movements = [Movement(1, "receive", sale.units, None)]
        self.move(Kind.ALLOT, sale.units)
        self.kept: dict[UUID, tuple[Wish, State]] = {}
        self.asked: list[str] = []
        self.silent = self.early = 0
        self.is_greedy = self.forgets = self.is_closed = False
        self.room = TicketState.ADMITTED

    def move(self, kind: Kind, units: int) -> None:
        self.movements.append(Movement(len(self.movements) + 1, kind, units, pool_of(SALE)))

    def heard(self, name: str) -> None:
        self.asked.append(name)
        if self.silent:
            self.silent -= 1
            raise Outage("nothing came")

    async def upsert_warehouses(self, rows: Sequence[WarehouseRow]) -> list[Refused | None]:
        return [None for _ in rows]

    async def upsert_skus(self, rows: Sequence[SkuRow]) -> list[Refused | None]:
        return [None for _ in rows]

    async def receive(
        self, id: UUID, sku: str, warehouse: str, quantity: int, reference: str
    ) -> Done | Refused:
        return Done()

    async def create_sale(self, offer: SaleOffer) -> Done | Refused:
        return Refused("INVALID", "closed") if self.is_closed else Done()

    async def close_sale(self, sale_id: UUID) -> Done | Refused:
        return Done()

    async def join(self, sale_id: UUID, customer: str) -> Place | Refused:
        self.heard("join")
        return self.seen(customer)

    async def ticket(self, id: str) -> Place | None:
        self.heard("ticket")
        return self.seen(id)

    def seen(self, customer: str) -> Place:
        if self.early:
            self.early -= 1
            return Place(customer, TicketState.WAITING, 0, None)
        is_in = self.room is TicketState.ADMITTED
        return Place(customer, self.room, None, f"token of {customer}" if is_in else None)

    async def buy(self, offer: SaleOffer, wish: Wish) -> Done | Refused:
        answer = self.sold(wish)
        self.heard("buy")
        return answer

    def sold(self, wish: Wish) -> Done | Refused:
        if wish.reservation in self.kept or self.forgets:
            return Done(State.HELD)
        if wish.units > self.left and not self.is_greedy:
            return Refused("INSUFFICIENT_STOCK", "none")
        had = sum(w.units for w, state in self.kept.values() if w.customer == wish.customer)
        if had + wish.units > 2 and not self.is_greedy:
            return Refused("LIMIT_REACHED", "enough")
        self.left -= wish.units
        self.kept[wish.reservation] = (wish, State.HELD)
        self.move(Kind.RESERVE, wish.units)
        return Done(State.HELD)

    async def confirm(self, id: UUID) -> Done | Refused:
        self.heard("confirm")
        return self.become(id, State.CONFIRMED)

    async def release(self, id: UUID) -> Done | Refused:
        self.heard("release")
        return self.become(id, State.RELEASED)

    def become(self, id: UUID, state: State) -> Done | Refused:
        if id not in self.kept:
            return Refused("NOT_FOUND", "who?")
        wish, was = self.kept[id]
        if was is not State.HELD:
            return Refused("RESERVATION_CLOSED", "late")
        self.kept[id] = (wish, state)
        if state in (State.RELEASED, State.EXPIRED):
            self.left += wish.units
            self.move(Kind.RELEASE if state is State.RELEASED else Kind.EXPIRE, wish.units)
        return Done(state)

    async def holding(self, id: UUID) -> Holding | None:
        if id not in self.kept:
            return None
        wish, state = self.kept[id]
        return Holding(state, wish.units, 1)

    async def books(self, sku: str, warehouse: str) -> CellBooks:
        states = (State.HELD, State.CONFIRMED)
        reserved = sum(wish.units for wish, state in self.kept.values() if state in states)
        return CellBooks(self.movements, 0, reserved, self.left + reserved, len(self.movements))


async def verdict(door: FakeDoor, history: History) -> Verdict:
    cases: list[Case] = list(history.cases.values())
    holdings = {id: await door.holding(id) for id in history.cases}
    terms = Terms(pool_of(SALE), door.sale.units, door.sale.limit_per_customer, 10)
    return judge(terms, cases, Found(holdings, [await door.books("MUG", "WEST")]))
