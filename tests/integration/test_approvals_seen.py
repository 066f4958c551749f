"""Which requests somebody sees: their own, and those that they may decide on; all of these."""

import asyncio
from dataclasses import replace

import pytest

from domain.access import Caller, Grant, Role
from domain.refusals import NeedsApproval, NotFound
from services import decisions, sensitive_accounts
from services.approvals import approval, approvals, changed
from services.granting import GrantRole
from tests.actors.world import rid
from tests.integration.factors import with_factor
from tests.integration.office import BIG, Office, asked
from tests.integration.people import ADMIN, good, holder, with_account


async def test_who_may_not_do_an_act_does_not_see_who_asks_for_it(office: Office) -> None:
    """Operations grants corrections; who has which role is not its business."""
    rt, bob = office.here.rt, office.bob
    boss = await holder(office.here, "dan@shop.example", ADMIN)
    await with_factor(office.here, boss)
    eve = await with_account(office.here, "eve@shop.example")
    role = GrantRole(rid(71), eve.id, ADMIN)
    good(NeedsApproval, await sensitive_accounts.grant_role(rt, bob, role))
    await asked(office)
    clerk = Caller("op", (Grant(Role.OPERATIONS),), (await with_account(office.here, "op@x.x")).id)
    assert [one.id for one in (await approvals(rt, clerk, None, 10, None)).items] == [BIG.id]
    assert await approval(rt, clerk, role.id) is None
    assert isinstance(await decisions.grant(rt, clerk, role.id, "1"), NotFound)
    assert isinstance(await decisions.reject(rt, clerk, role.id), NotFound)
    seen = (await approvals(rt, boss, None, 10, None)).items
    assert {one.id for one in seen} == {BIG.id, role.id}


async def test_a_flood_of_requests_hides_none_that_come_after_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.approvals.CHANGES_LIMIT", 2)
    watched = changed(office.here.rt, office.bob)
    flood = [rid(number) for number in range(100, 107)]
    for id in flood:
        await asked(office, replace(BIG, id=id))
    try:
        async with asyncio.timeout(60):
            assert [(await anext(watched)).id for _ in flood] == sorted(flood)
    finally:
        await watched.aclose()
