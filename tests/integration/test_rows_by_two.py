"""Rows of the catalogue that take much out of sale, or change much of what the stock is worth, need
a second person: all rows of a request or none."""

import asyncio
from dataclasses import replace

import pytest

from domain.access import Caller
from domain.refusals import ApprovalClosed, Conflict, Invalid, NeedsApproval, NotPermitted
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from infra.database import connection
from infra.models import Sku, Warehouse
from services import decisions, sensitive
from services.approvals import BEGUN, Approval, Change, approval
from services.approved import carry_out
from services.catalogue import ROWS_LIMIT, SkuRow, WarehouseRow
from services.finisher import ABANDONED, Finisher
from services.row_changes import Written
from services.runtime import Runtime
from tests.actors.world import rid
from tests.integration.office import CLERK, Office
from tests.integration.people import ADMIN, good, holder

ID = rid(1)
STOCKED = """INSERT INTO cell (id, sku_id, warehouse_id, version, seq, floor, available, reserved,
  quarantined, damaged, as_of)
SELECT s.id, s.id, w.id, 0, 0, 0, 100, 0, 0, 0, now() FROM sku s, warehouse w
WHERE w.code = 'BER'"""
OFF = [SkuRow("GOLD", "Gold", is_active=False), SkuRow("TEA", "Tea", "tea", is_active=False)]
SHOWN = (Change("GOLD isActive", "yes", "no"), Change("TEA isActive", "yes", "no"))


@pytest.fixture
async def cat(office: Office) -> Caller:
    """Who keeps the catalogue; Bob grants."""
    await connection().execute_query(STOCKED)
    return await holder(office.here, "cat@shop.example", ADMIN)


@pytest.fixture
def rt(office: Office) -> Runtime:
    """One SKU is taken out of sale alone."""
    settings = replace(office.here.rt.settings, approval_skus=1)
    return replace(office.here.rt, settings=settings)


async def active() -> list[bool]:
    return [bool(row.is_active) for row in await Sku.all().order_by("code")]


async def test_little_is_done_at_once_and_needs_no_id(rt: Runtime, cat: Caller) -> None:
    assert await sensitive.upsert_skus(rt, cat, OFF[:1]) == [None]
    assert await active() == [False, True]


async def test_much_waits_as_a_whole_and_is_done_once(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    rows = [*OFF, SkuRow(" ", "No code")]
    unnamed = await sensitive.upsert_skus(rt, cat, rows)
    assert [type(no) for no in unnamed] == [Invalid] * 3
    assert [getattr(no, "field", None) for no in unnamed] == ["id", "id", "code"]
    asked = await sensitive.upsert_skus(rt, cat, rows, ID)
    assert [type(no) for no in asked] == [NeedsApproval, NeedsApproval, Invalid]
    assert await sensitive.upsert_skus(rt, cat, rows, ID) == asked
    other = await sensitive.upsert_skus(rt, cat, OFF, ID)
    assert other == [Conflict(ID)] * 2
    assert await active() == [True, True]
    request = good(Approval, await approval(rt, office.bob, ID))
    assert (request.changes, request.target) == (SHOWN, "3 rows")
    done = good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert (done.state, done.outcome) == (ApprovalState.DONE, "DONE")
    assert await active() == [False, False]
    await Sku.all().update(is_active=True)
    again = await sensitive.upsert_skus(rt, cat, rows, ID)
    assert [type(no) for no in again] == [type(None), type(None), Invalid]
    assert await active() == [True, True], "it was done once, and somebody took it back"


async def test_what_was_changed_meanwhile_is_not_written_over(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    await sensitive.upsert_skus(rt, cat, OFF, ID)
    await Sku.filter(code="TEA").update(name="Green tea")
    done = good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert done.state is ApprovalState.STALE
    assert await active() == [True, True]
    stale = ApprovalClosed(ApprovalState.STALE)
    assert await sensitive.upsert_skus(rt, cat, OFF, ID) == [stale, stale]


async def test_who_finish_it_at_once_write_it_once(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    await sensitive.upsert_skus(rt, cat, OFF, ID)
    row = good(Row, await decisions.permitted(rt, office.bob, ID, office.code()))
    answers = await asyncio.gather(*(carry_out(rt, row) for _ in range(8)))
    assert set(answers) == {Written((None, None))}
    assert await office.state(ID) is ApprovalState.DONE


async def test_what_was_written_and_not_recorded_is_recorded_later(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    """The process dies behind the commit: it is not done again, though somebody took it back."""
    await sensitive.upsert_skus(rt, cat, OFF, ID)
    good(Row, await decisions.permitted(rt, office.bob, ID, office.code()))
    await Row.filter(id=ID).update(outcome=BEGUN)
    assert good(Approval, await approval(rt, office.bob, ID)).outcome is None
    office.here.clock.time += ABANDONED
    await Finisher(rt).look()
    assert await office.state(ID) is ApprovalState.DONE
    assert await active() == [True, True]


async def test_a_new_price_of_what_is_on_hand_may_change_much(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    """100 of 1,000.01 each: 50.01 less for each is above 5,000.00 for all. Of tea no price is
    known, so the first one changes nothing."""
    cheap = SkuRow("GOLD", "Gold", last_price_cents=95_000)
    (no,) = await sensitive.upsert_skus(rt, cat, [cheap], ID)
    assert isinstance(no, NeedsApproval)
    request = good(Approval, await approval(rt, office.bob, ID))
    assert request.changes == (Change("GOLD lastPriceCents", "100001", "95000"),)
    little = SkuRow("GOLD", "Gold", last_price_cents=95_001)
    first = SkuRow("TEA", "Tea", "tea", last_price_cents=10**9)
    assert await sensitive.upsert_skus(rt, cat, [little, first]) == [None, None]


async def test_a_warehouse_takes_all_that_lies_in_it_out_of_sale(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    empty = WarehouseRow("LYO", "LYO", "EU", is_active=False)
    assert await sensitive.upsert_warehouses(rt, cat, [empty]) == [None]
    full = [WarehouseRow("BER", "BER", "EU", is_active=False), WarehouseRow("HAM", "Ham", "EU")]
    no, _ = await sensitive.upsert_warehouses(rt, cat, full, ID)
    assert isinstance(no, NeedsApproval)
    request = good(Approval, await approval(rt, office.bob, ID))
    assert request.changes == (Change("BER isActive", "yes", "no"), Change("HAM", None, "Ham"))
    done = good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert done.state is ApprovalState.DONE
    assert [row.code for row in await Warehouse.filter(is_active=True)] == ["HAM"]


async def test_the_same_asked_many_times_at_once_is_one_request(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    answers = await asyncio.gather(*(sensitive.upsert_skus(rt, cat, OFF, ID) for _ in range(8)))
    first = answers[0]
    assert all(answer == first for answer in answers)
    assert [type(no) for no in first] == [NeedsApproval] * 2
    assert await Row.all().count() == 1


async def test_no_rows_need_nobody(rt: Runtime, cat: Caller) -> None:
    for id in (None, ID):
        assert await sensitive.upsert_skus(rt, cat, [], id) == []


async def test_who_keeps_the_catalogue_alone_goes_on_alone(office: Office, rt: Runtime) -> None:
    """Nobody else could grant it."""
    assert await sensitive.upsert_skus(rt, office.bob, OFF) == [None, None]


async def test_who_may_not_is_refused_as_before(office: Office, rt: Runtime, cat: Caller) -> None:
    clerk = Caller("clerk", (CLERK,))
    for id in (None, ID):
        answers = await sensitive.upsert_skus(rt, clerk, OFF, id)
        assert {type(no) for no in answers} == {NotPermitted}
    long = [SkuRow(f"S{number}", "S") for number in range(ROWS_LIMIT + 1)]
    answers = await sensitive.upsert_skus(rt, cat, long, ID)
    assert {getattr(no, "field", None) for no in answers} == {"rows"}


async def test_who_asked_and_may_no_more_has_it_refused(
    office: Office, rt: Runtime, cat: Caller
) -> None:
    await sensitive.upsert_skus(rt, cat, OFF, ID)
    await connection().execute_query(
        "UPDATE person_grant SET role = 'analyst' WHERE role = 'admin'"
    )
    done = good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert (done.state, done.outcome) == (ApprovalState.FAILED, "NOT_PERMITTED")
    assert await active() == [True, True]
