"""A running server's public GraphQL API as a `SaleDoor`.

Who makes and audits the sale is patient, like any client; a buyer's call is made once, so that each
answer, and each that did not come, is seen and timed.
"""

from uuid import UUID

from connectors import public_api_documents as documents
from connectors import sale_documents as sales
from connectors.public_api import PAGE_ITEMS, PublicApi, Send
from services.door import Done, Refused
from services.sale_door import CellBooks, Movement, Place, SaleOffer, Wish

SAME_MOMENT_TRIES = 20


class SaleApi(PublicApi):
    """`hasty` is how buyers ask."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.hasty = PublicApi(send, patience_seconds=0.0)

    async def create_sale(self, offer: SaleOffer) -> Done | Refused:
        command = {
            "id": offer.id,
            "name": offer.name,
            "opensAt": offer.opens_at,
            "closesAt": offer.closes_at,
            "limitPerCustomer": offer.limit_per_customer,
            "ttlSeconds": offer.ttl_seconds,
            "waitingRoom": offer.admitted_per_second is not None,
            "allotments": [
                {"sku": offer.sku, "warehouse": warehouse, "quantity": units}
                for warehouse, units in offer.allotments.items()
            ],
        }
        if offer.admitted_per_second is not None:
            command["admittedPerSecond"] = offer.admitted_per_second
        return (await self.ask(sales.CREATE_SALE, {"input": command})).told()

    async def close_sale(self, sale_id: UUID) -> Done | Refused:
        return (await self.ask(sales.CLOSE_SALE, {"id": sale_id})).told()

    async def join(self, sale_id: UUID, customer: str) -> Place | Refused:
        asked = {"sale": sale_id, "customer": customer}
        return (await self.hasty.ask(sales.JOIN, asked)).place()

    async def ticket(self, id: str) -> Place | None:
        seen = await self.hasty.ask(sales.TICKET, {"id": id})
        place = None if seen is None else seen.place()
        return place if isinstance(place, Place) else None

    async def buy(self, offer: SaleOffer, wish: Wish) -> Done | Refused:
        command = {
            "id": wish.reservation,
            "lines": [{"sku": offer.sku, "quantity": wish.units}],
            "ttlSeconds": offer.ttl_seconds,
            "customer": wish.customer,
            "saleId": offer.id,
            "ticket": wish.ticket,
        }
        return (await self.hasty.ask(documents.RESERVE, {"input": command})).told()

    async def confirm(self, id: UUID) -> Done | Refused:
        return (await self.hasty.ask(documents.CONFIRM, {"id": id})).told()

    async def release(self, id: UUID) -> Done | Refused:
        return (await self.hasty.ask(sales.RELEASE, {"id": id})).told()

    async def books(self, sku: str, warehouse: str) -> CellBooks:
        """Read again until ledger and level are of one moment."""
        where = {"sku": sku, "warehouse": warehouse}
        for _ in range(SAME_MOMENT_TRIES):
            rows = await self.ledger(sku, warehouse)
            level = await self.ask(sales.LEVEL, where)
            if rows and rows[0].seq == level.seq:
                break
        return CellBooks(rows[::-1], level.available, level.reserved, level.on_hand, level.seq)

    async def ledger(self, sku: str, warehouse: str) -> list[Movement]:
        """Newest first."""
        rows: list[Movement] = []
        after = None
        while True:
            asked = {"sku": sku, "warehouse": warehouse, "first": PAGE_ITEMS, "after": after}
            page = await self.ask(sales.LEDGER, asked)
            rows += [edge.node.told() for edge in page.edges]
            if not page.page_info.has_next_page:
                return rows
            after = page.page_info.end_cursor
