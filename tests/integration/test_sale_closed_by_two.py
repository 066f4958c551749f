"""Closing an open flash sale that has much left needs a second person."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from domain.access import Caller, Grant, Role
from domain.flash_sales import SaleState
from domain.refusals import ApprovalClosed, Invalid, NeedsApproval, NotFound
from domain.states import ApprovalState
from infra.database import connection
from infra.passwords import Passwords
from infra.settings import Settings
from services import acts, decisions, flash_sales, sensitive
from services.approvals import Approval, Change, approval
from services.flash_sale_rows import FlashSale
from services.runtime import Runtime
from tests.actors.world import rid
from tests.integration.factors import Authenticator, with_factor
from tests.integration.people import ANN, BOB, CHEAP, EMPTY, OWNER, SECRET, People, good, holder
from tests.integration.sale_shop import HOUR, SALE, sale, sale_shop

ID = rid(1)


class Stall(NamedTuple):
    """Ann runs the sales, Bob grants; 30 units are set aside for the sale."""

    here: People
    ann: Caller
    bob: Caller
    code: Authenticator

    @property
    def rt(self) -> Runtime:
        return self.here.rt

    async def close(self, id: UUID | None = ID) -> object:
        return await sensitive.close_sale(self.rt, self.ann, SALE, id)

    async def opened(self) -> None:
        good(FlashSale, await acts.create_sale(self.rt, self.ann, sale()))
        self.here.clock.time += HOUR + timedelta(seconds=1)


@pytest.fixture
async def stall(people_url: str) -> AsyncIterator[Stall]:
    async with sale_shop(people_url) as shop:
        await connection().execute_query(EMPTY)
        settings = Settings.load({"ONHAND_SECRET_KEY": SECRET, "ONHAND_APPROVAL_UNITS": "29"})
        rt = replace(shop.rt, settings=settings, passwords=Passwords(CHEAP))
        here = People(rt, shop.clock)
        ann, bob = await holder(here, ANN, Grant(Role.OPERATIONS)), await holder(here, BOB, OWNER)
        code, _ = await with_factor(here, bob)
        yield Stall(here, ann, bob, code)


async def test_a_sale_with_much_left_is_closed_by_two(stall: Stall) -> None:
    await stall.opened()
    assert good(Invalid, await stall.close(None)).field == "requestId"
    good(NeedsApproval, await stall.close())
    good(NeedsApproval, await stall.close())
    request = good(Approval, await approval(stall.rt, stall.bob, ID))
    left = Change("units that can still be had", "30", "0")
    assert (request.target, request.changes[1]) == ("Tea time", left)
    assert (
        good(FlashSale, await flash_sales.flash_sale(stall.rt, stall.ann, SALE)).closed_at is None
    )
    done = good(Approval, await decisions.grant(stall.rt, stall.bob, ID, stall.code()))
    assert done.state is ApprovalState.DONE
    closed = good(FlashSale, await stall.close())
    assert closed.state is SaleState.CLOSED
    assert good(FlashSale, await stall.close(None)) == closed


async def test_a_sale_with_little_left_is_closed_at_once(stall: Stall) -> None:
    settings = replace(stall.rt.settings, approval_units=30)
    rt = replace(stall.rt, settings=settings)
    await stall.opened()
    closed = await sensitive.close_sale(rt, stall.ann, SALE)
    assert good(FlashSale, closed).state is SaleState.CLOSED


async def test_what_is_left_may_be_worth_much(stall: Stall) -> None:
    """30 units of 200.00 are above 5,000.00."""
    await connection().execute_query("UPDATE sku SET last_price_cents = 20000 WHERE code = 'TEA'")
    rt = replace(stall.rt, settings=replace(stall.rt.settings, approval_units=1_000))
    await stall.opened()
    good(NeedsApproval, await sensitive.close_sale(rt, stall.ann, SALE, ID))


async def test_a_sale_that_does_not_sell_is_no_matter_for_two(stall: Stall) -> None:
    """There is none, it has not opened, it is over."""
    missing = await sensitive.close_sale(stall.rt, stall.ann, rid(99))
    assert isinstance(missing, NotFound)
    good(FlashSale, await acts.create_sale(stall.rt, stall.ann, sale()))
    assert good(Invalid, await stall.close()).field == "id"
    stall.here.clock.time += 2 * HOUR
    good(FlashSale, await stall.close())


async def test_a_rejected_request_leaves_the_sale_as_it_is(stall: Stall) -> None:
    await stall.opened()
    await stall.close()
    good(Approval, await decisions.reject(stall.rt, stall.bob, ID))
    assert await stall.close() == ApprovalClosed(ApprovalState.REJECTED)
    found = good(FlashSale, await flash_sales.flash_sale(stall.rt, stall.ann, SALE))
    assert found.closed_at is None
    good(NeedsApproval, await stall.close(rid(2)))


async def test_a_sale_that_ended_by_itself_stays_as_it_ended(stall: Stall) -> None:
    await stall.opened()
    await stall.close()
    stall.here.clock.time += HOUR
    done = good(Approval, await decisions.grant(stall.rt, stall.bob, ID, stall.code()))
    assert done.state is ApprovalState.DONE
    found = good(FlashSale, await flash_sales.flash_sale(stall.rt, stall.ann, SALE))
    assert found.closes_at < stall.here.clock.now()
