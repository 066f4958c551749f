"""Flash sales one after the other while parts of the shop are killed, and their crowd: it joins,
waits, reserves, pays, leaves, comes again, and tries to let two in with one ticket."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from domain.commands import CellKey
from infra.clock import SystemClock
from tests.integration.caller import new_id, order
from tests.soak.buyers import PATIENCE_SECONDS, Buyers
from tests.soak.history import HELD, Call, Sale

SHOPPERS = 6
CUSTOMERS = 12
"""Few, so that the same ones come again."""
ALLOTMENT = 8
LIMIT = 2
TTL_SECONDS = 3
OPENS_AFTER = timedelta(seconds=3)
LASTS = timedelta(seconds=15)
LOOK_SECONDS = 0.5
CREATE = """mutation ($input: CreateFlashSaleInput!) { answer: createFlashSale(input: $input) {
  __typename ... on InsufficientStock { sku warehouse requested available } } }"""
CLOSE = "mutation ($id: ID!) { answer: closeFlashSale(id: $id) { __typename } }"
STATE = "query ($id: ID!) { answer: flashSale(id: $id) { state } }"
TICKET = "id place state token"
JOIN = f"""mutation ($id: ID!, $customer: String!) {{
  answer: joinFlashSale(saleId: $id, customer: $customer) {{
    __typename ... on Ticket {{ {TICKET} }} }} }}"""
LOOK = f"query ($id: ID!) {{ answer: ticket(id: $id) {{ {TICKET} }} }}"


class Crowd:
    """`cells` are of one SKU; other buyers draw on the rest of them meanwhile. `sales` are all that
    were asked for, by id."""

    def __init__(self, buyers: Buyers, cells: Sequence[CellKey]) -> None:
        self.buyers = buyers
        self.cells = cells
        self.clock = SystemClock()
        self.sales: dict[str, Sale] = {}
        self.closed: set[str] = set()

    async def hold(self, chance: Random) -> None:
        """With a waiting room and without in turns."""
        while not self.buyers.is_over:
            for cell in self.cells:
                await self.buyers.receive(cell, ALLOTMENT)
            await self.one_sale(new_id(), len(self.sales) % 2 == 0, chance)

    async def one_sale(self, id: str, has_room: bool, chance: Random) -> None:
        """From asking for it until what was left of it is back."""
        opens = self.clock.now() + OPENS_AFTER
        allotments = {(cell.sku, cell.warehouse): ALLOTMENT for cell in self.cells}
        closes = opens + LASTS
        sale = Sale(f"sale:{id}", LIMIT, opens.timestamp(), closes.timestamp(), allotments)
        self.sales[id] = sale
        wanted = {
            "id": id,
            "name": f"Soak {len(self.sales)}",
            "opensAt": opens.isoformat(),
            "closesAt": closes.isoformat(),
            "limitPerCustomer": LIMIT,
            "ttlSeconds": TTL_SECONDS,
            "waitingRoom": has_room,
            "allotments": [{**cell._asdict(), "quantity": ALLOTMENT} for cell in self.cells],
        }
        made = await self.buyers.ask(Call("sale", id, 0, None, None), CREATE, input=wanted)
        self.buyers.calls.append(made)
        if made.answer != "FlashSale":
            self.sales[id] = sale._replace(is_over=made.answer is not None)
            return
        self.sales[id] = sale._replace(is_agreed=True)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(SHOPPERS):
                tasks.create_task(self.shop(id, has_room, Random(chance.random())))
            await self.until(id, "CLOSED", "FINISHED")
            self.closed.add(id)
        await self.until(id, "FINISHED")
        self.sales[id] = self.sales[id]._replace(is_over=True)

    async def until(self, id: str, *states: str) -> None:
        """It comes there by itself in time; when all is over it is closed early."""
        while (await self.buyers.caller.ask(STATE, id=id))["state"] not in states:
            if self.buyers.is_over:
                await self.buyers.caller.ask(CLOSE, id=id)
            await asyncio.sleep(LOOK_SECONDS)

    async def shop(self, id: str, has_room: bool, chance: Random) -> None:
        while id not in self.closed:
            customer = f"customer-{chance.randrange(CUSTOMERS)}"
            ticket = await self.admitted(id, customer) if has_room else None
            if ticket is not None or not has_room:
                orders = 2 if chance.random() < 0.2 else 1
                ways = [chance.random() for _ in range(orders)]
                quantities = [chance.choice((1, 1, 2)) for _ in ways]
                drawn = [
                    self.draw(id, customer, ticket, quantity, way)
                    for quantity, way in zip(quantities, ways, strict=True)
                ]
                await asyncio.gather(*drawn)
            await asyncio.sleep(chance.uniform(0.05, 0.3))

    async def admitted(self, id: str, customer: str) -> str | None:
        """The token of a customer who joined and was let in."""
        joining = Call("join", id, 0, None, None, customer=customer, pool=self.sales[id].pool)
        joined, ticket = await self.buyers.told(joining, JOIN, id=id, customer=customer)
        self.buyers.calls.append(joined)
        while ticket and ticket.get("state") == "WAITING" and id not in self.closed:
            await asyncio.sleep(LOOK_SECONDS)
            ticket = await self.buyers.caller.ask(LOOK, id=ticket["id"])
        return ticket.get("token") if ticket else None

    async def draw(
        self, id: str, customer: str, ticket: str | None, quantity: int, way: float
    ) -> None:
        """Once more with the same id where it was not answered, as every order."""
        sku = self.cells[0].sku
        reservation, line = new_id(), (sku, None, quantity)
        wanted = {**order(reservation, line), "customer": customer, "saleId": id, "ticket": ticket}
        self.buyers.orders[reservation] = wanted
        call = Call("reserve", reservation, 0, None, None, wanted=(line,))
        call = replace(call, customer=customer, pool=self.sales[id].pool, ticket=ticket)
        call = await self.buyers.reserve(call, PATIENCE_SECONDS)
        self.buyers.calls.append(call)
        if call.answer == HELD:
            await self.buyers.end(reservation, way)
