"""An office with a clerk who corrects stock and an owner who grants it, in a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from domain.access import Caller, Grant, Role
from domain.commands import CellKey
from domain.ledger import Bucket
from domain.refusals import (
    NeedsApproval,
)
from domain.states import ApprovalState
from infra.database import connection
from infra.models import Sku, Warehouse
from services import acts, decisions, sensitive
from services.approvals import Approval, approval
from services.levels import StockLevel
from services.stock import AdjustStock, ReceiveStock
from tests.actors.fake_store import FakeStore
from tests.actors.world import rid
from tests.integration.factors import Authenticator, with_factor
from tests.integration.people import (
    ADMIN,
    ANN,
    BOB,
    OWNER,
    People,
    good,
    holder,
    people,
)

CAT = "cat@shop.example"
TEA = CellKey("TEA", "BER")
CLERK = Grant(Role.WAREHOUSE)
BIG = AdjustStock(rid(1), *TEA, Bucket.AVAILABLE, -1_001, "lost")
SMALL = replace(BIG, id=rid(2), delta=-1_000)
STOCK = 5_000


class Office(NamedTuple):
    """Ann corrects the stock, Bob grants it with the codes of his authenticator."""

    here: People
    store: FakeStore
    ann: Caller
    bob: Caller
    code: Authenticator

    def held(self) -> list[int]:
        return self.store.cells[TEA].units

    async def grant(self, id: UUID = BIG.id) -> object:
        return await decisions.grant(self.here.rt, self.bob, id, self.code())

    async def state(self, id: UUID = BIG.id) -> ApprovalState:
        return good(Approval, await approval(self.here.rt, self.bob, id)).state


@asynccontextmanager
async def opened(people_url: str) -> AsyncIterator[Office]:
    store = FakeStore(["TEA", "GOLD"], ["BER", "LYO"])
    async with people(people_url, store) as here:
        await connection().execute_query("TRUNCATE sku, warehouse RESTART IDENTITY CASCADE")
        await Sku.create(code="TEA", name="Tea", category="tea")
        await Sku.create(code="GOLD", name="Gold", last_price_cents=100_001)
        for name in ("BER", "LYO"):
            await Warehouse.create(code=name, name=name, region="EU")
        ann, bob = await holder(here, ANN, CLERK), await holder(here, BOB, OWNER)
        code, _ = await with_factor(here, bob)
        for number, sku in ((901, "TEA"), (902, "GOLD")):
            goods = ReceiveStock(rid(number), sku, "BER", STOCK)
            good(StockLevel, await acts.receive(here.rt, ann, goods))
        yield Office(here, store, ann, bob, code)


async def decider(office: Office) -> tuple[Caller, Authenticator]:
    """Cat, an administrator with an authenticator: with Bob there are two who grant."""
    cat = await holder(office.here, CAT, ADMIN)
    code, _ = await with_factor(office.here, cat)
    return cat, code


async def asked(office: Office, command: AdjustStock = BIG) -> NeedsApproval:
    return good(NeedsApproval, await sensitive.adjust(office.here.rt, office.ann, command))
