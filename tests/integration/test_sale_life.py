"""The life of a flash sale in a whole shop, over HTTP: it opens and closes by itself, its units
come home, and a shop that is ended in the middle of it goes on where it was."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access import Role
from domain.commands import CellKey
from infra.clock import SystemClock
from tests.integration.books import books_of
from tests.integration.caller import Caller, new_code, new_id
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
UNITS = 50
ALLOTTED = 10
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1
LATE = timedelta(seconds=1)
SALE = """id name state opensAt closesAt openedAt closedAt finishedAt
  allotments { sku warehouse quantity } figures { allotted held sold left }"""
CREATE = f"""mutation ($input: CreateFlashSaleInput!) {{ answer: createFlashSale(input: $input) {{
  __typename ... on FlashSale {{ {SALE} }} ... on Refusal {{ code message }} }} }}"""
CLOSE = f"""mutation ($id: ID!) {{ answer: closeFlashSale(id: $id) {{
  __typename ... on FlashSale {{ {SALE} }} ... on Refusal {{ code message }} }} }}"""
FIND = f"query ($id: ID!) {{ answer: flashSale(id: $id) {{ {SALE} }} }}"
RESERVE = """mutation ($input: ReserveStockInput!) { answer: reserveStock(input: $input) {
  __typename ... on Reservation { id saleId } ... on Refusal { code }
  ... on LimitReached { limit alreadyTaken } } }"""
CONFIRM = "mutation ($id: ID!) { answer: confirmReservation(id: $id) { __typename } }"
OWNERSHIP = "{ answer: ownership { name isDedicated cells { sku warehouse } } }"


class Sale:
    """A sale of ALLOTTED units in each of two warehouses."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.id = new_id()
        sku = new_code()
        self.cells = [CellKey(sku, new_code()) for _ in range(2)]

    async def create(self, opens_in: float, lasts: float, **more: Any) -> Any:
        await self.caller.furnish(dict.fromkeys(self.cells, UNITS))
        opens_at = SystemClock().now() + timedelta(seconds=opens_in)
        asked = {
            "id": self.id,
            "name": "Whole sale",
            "opensAt": opens_at.isoformat(),
            "closesAt": (opens_at + timedelta(seconds=lasts)).isoformat(),
            "allotments": [{**cell._asdict(), "quantity": ALLOTTED} for cell in self.cells],
            **more,
        }
        made = await self.caller.ask(CREATE, input=asked)
        assert made["__typename"] == "FlashSale", made
        return made

    async def until(self, condition: Callable[[Any], bool]) -> Any:
        """The sale, once it is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = await self.caller.ask(FIND, id=self.id)
                if condition(found):
                    return found
                await asyncio.sleep(POLL_SECONDS)

    async def until_state(self, state: str) -> Any:
        return await self.until(lambda sale: sale["state"] == state)

    async def reserve(self, customer: str, quantity: int, id: str | None = None) -> Any:
        asked = {"id": id or new_id(), "saleId": self.id, "customer": customer}
        line = {"sku": self.cells[0].sku, "quantity": quantity}
        return await self.caller.ask(RESERVE, input={**asked, "lines": [line]})

    @property
    def seat(self) -> str:
        return f"sale-{self.id}"


async def dedicated(caller: Caller) -> list[str]:
    return [seat["name"] for seat in await caller.ask(OWNERSHIP) if seat["isDedicated"]]


async def placed(caller: Caller, cells: list[CellKey]) -> list[CellKey]:
    """Those of the cells that do not lie where they fall."""
    seats = await caller.ask(OWNERSHIP)
    found = {CellKey(cell["sku"], cell["warehouse"]) for seat in seats for cell in seat["cells"]}
    return [cell for cell in cells if cell in found]


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


async def test_a_sale_opens_and_closes_to_the_second_and_its_units_come_home(shop: Whole) -> None:
    async with Caller(shop, role=Role.OPERATIONS) as office, Caller(shop) as admin:
        sale = Sale(admin)
        await sale.create(opens_in=5, lasts=8, limitPerCustomer=2, ttlSeconds=3)
        assert (await sale.reserve("ann", 1))["code"] == "SALE_NOT_OPEN"
        sale.caller = office
        opened = await sale.until_state("OPEN")
        assert opened["figures"] == {"allotted": 20, "held": 0, "sold": 0, "left": 20}
        paid = await sale.reserve("ann", 2)
        assert paid["saleId"] == sale.id
        await office.ask(CONFIRM, id=paid["id"])
        buyers = [sale.reserve(customer, 2) for customer in ("bob", "bob", "eve")]
        answers = await asyncio.gather(*buyers)
        assert [answer["__typename"] for answer in answers].count("Reservation") == 2
        limit = await sale.reserve("ann", 1)
        assert (limit["code"], limit["alreadyTaken"]) == ("LIMIT_REACHED", 2)
        assert sale.seat in await dedicated(office)
        held = (await sale.caller.ask(FIND, id=sale.id))["figures"]
        assert held == {"allotted": 20, "held": 4, "sold": 2, "left": 14}
        expired = await sale.until(lambda found: not found["figures"]["held"])
        assert expired["figures"] == {"allotted": 20, "held": 0, "sold": 2, "left": 18}
        closed = await sale.until(lambda found: found["closedAt"] is not None)
        assert time_of(closed["openedAt"]) - time_of(closed["opensAt"]) < LATE
        assert time_of(closed["closedAt"]) - time_of(closed["closesAt"]) < LATE
        finished = await sale.until_state("FINISHED")
        assert finished["figures"]["left"] == 0
        async with books_of(shop) as books:
            await books.balance(sale.cells)
            available = [(await books.cell(cell))["available"] for cell in sale.cells]
            assert sum(available) == 2 * UNITS - 2
        assert await placed(office, sale.cells) == []


@pytest.mark.parametrize("politely", [True, False])
async def test_a_shop_that_ends_during_a_sale_goes_on_with_it(
    battered: Whole, politely: bool
) -> None:
    async with Caller(battered) as caller:
        sale = Sale(caller)
        await sale.create(opens_in=0, lasts=3600, limitPerCustomer=2)
        await sale.until_state("OPEN")
        bought = await sale.reserve("ann", 1, new_id())
        await caller.ask(CONFIRM, id=bought["id"])
        await asyncio.to_thread(battered.stop if politely else battered.kill)
        await asyncio.to_thread(battered.start)
        assert await sale.reserve("ann", 1, bought["id"]) == bought
        assert (await sale.reserve("ann", 2))["alreadyTaken"] == 1
        assert (await caller.ask(FIND, id=sale.id))["figures"]["left"] == 2 * ALLOTTED - 1
        await caller.ask(CLOSE, id=sale.id)
        await sale.until_state("FINISHED")
        async with books_of(battered) as books:
            await books.balance(sale.cells)
            available = [(await books.cell(cell))["available"] for cell in sale.cells]
            assert sum(available) == 2 * UNITS - 1
    audited = await asyncio.to_thread(battered.run, "audit")
    assert audited.returncode == 0, audited.stdout + audited.stderr
