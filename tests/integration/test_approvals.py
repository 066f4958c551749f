"""Sensitive acts need two: asked for by one person, granted by another with a second factor, done
once, and only if it is still as it was shown."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access import Caller, Grant, Permission, Role, Scope
from domain.approvals import LIFE
from domain.ledger import Bucket
from domain.refusals import (
    ApprovalClosed,
    Conflict,
    InsufficientStock,
    InvalidCredentials,
    NeedsApproval,
    NotFound,
    NotPermitted,
    Stale,
)
from domain.states import ApprovalState
from infra.database import connection
from infra.identity_models import Person
from infra.outage import Outage
from services import acts, decisions, people_acts, sensitive
from services.account import OWN_ACCOUNT
from services.api_keys import ApiKey, CreateApiKey
from services.approvals import Approval, Change, approval, approvals, changed
from services.finisher import ABANDONED, Finisher
from services.identify import identify
from services.levels import StockLevel
from services.stock import MoveStock, ReceiveStock
from tests.actors.world import rid
from tests.integration.factors import with_factor
from tests.integration.office import BIG, CLERK, SMALL, STOCK, TEA, Office, asked
from tests.integration.people import (
    ADMIN,
    ANALYST,
    ANN,
    BOB,
    good,
    holder,
    issued,
    with_account,
)


async def test_little_is_corrected_at_once(office: Office) -> None:
    level = good(StockLevel, await sensitive.adjust(office.here.rt, office.ann, SMALL))
    assert level.available == STOCK - 1_000


async def test_what_is_worth_much_is_much(office: Office) -> None:
    """5 of 1,000.01 each are above 5,000.00; 4 are not."""
    gold = replace(BIG, sku="GOLD", delta=-5)
    await asked(office, gold)
    few = replace(gold, id=rid(3), delta=-4)
    good(StockLevel, await sensitive.adjust(office.here.rt, office.ann, few))


async def test_nothing_happens_until_it_is_granted(office: Office) -> None:
    first = await asked(office)
    assert first == NeedsApproval(BIG.id, "adjustStock", office.here.clock.now() + LIFE)
    assert await asked(office) == first
    other = await sensitive.adjust(office.here.rt, office.ann, replace(BIG, delta=-2_000))
    assert other == Conflict(BIG.id)
    assert office.held()[0] == STOCK
    request = good(Approval, await approval(office.here.rt, office.bob, BIG.id))
    assert request.changes == (Change("available", "5000", "3999"),)
    assert (request.sku, request.warehouse, request.asked_by) == ("TEA", "BER", ANN)


async def test_what_is_granted_is_done_once_and_answers_again(office: Office) -> None:
    await asked(office)
    done = good(Approval, await office.grant())
    assert (done.state, done.decided_by, done.outcome) == (ApprovalState.DONE, BOB, "DONE")
    assert good(Approval, await office.grant()) == done
    for _ in range(2):
        level = good(StockLevel, await sensitive.adjust(office.here.rt, office.ann, BIG))
        assert (level.available, level.seq) == (STOCK - 1_001, 2)
    entry = office.store.entries[office.store.cells[TEA].id, 2]
    assert ANN in entry


async def test_the_same_asked_many_times_at_once_is_one_request(office: Office) -> None:
    answers = await asyncio.gather(*(asked(office) for _ in range(8)))
    assert len(set(answers)) == 1
    (request,) = (await approvals(office.here.rt, office.bob, None, 10, None)).items
    assert request.state is ApprovalState.PENDING
    assert (await approvals(office.here.rt, office.bob, (), 10, None)).items == []


async def test_of_two_who_grant_at_once_one_does(office: Office) -> None:
    cat = await holder(office.here, "cat@shop.example", ADMIN)
    code, _ = await with_factor(office.here, cat)
    await asked(office)
    first, second = code(), office.code()
    answers = await asyncio.gather(
        decisions.grant(office.here.rt, cat, BIG.id, first),
        decisions.grant(office.here.rt, office.bob, BIG.id, second),
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Approval", "ApprovalClosed"]
    assert office.store.cells[TEA].seq == 2


async def test_nobody_grants_what_they_or_their_key_asked_for(office: Office) -> None:
    rt, bob = office.here.rt, office.bob
    key = Caller("key:7", bob.grants, bob.person)
    for number, caller in ((11, bob), (12, key)):
        command = replace(BIG, id=rid(number))
        good(NeedsApproval, await sensitive.adjust(rt, caller, command))
        assert await office.grant(command.id) == decisions.OWN
    await asked(office)
    assert await decisions.grant(rt, key, BIG.id, office.code()) == NotPermitted(OWN_ACCOUNT)
    assert office.held()[0] == STOCK


async def test_a_code_of_the_second_factor_is_needed(office: Office) -> None:
    rt = office.here.rt
    await asked(office)
    assert await decisions.grant(rt, office.bob, BIG.id, "000000") == InvalidCredentials()
    plain = await holder(office.here, "dan@shop.example", ADMIN)
    assert isinstance(await decisions.grant(rt, plain, BIG.id, "000000"), NotFound)
    assert await office.state() is ApprovalState.PENDING


async def test_who_may_not_do_it_may_not_grant_it(office: Office) -> None:
    rt = office.here.rt
    await asked(office)
    clerk = await holder(office.here, "eve@shop.example", CLERK)
    assert await decisions.grant(rt, clerk, BIG.id, "1") == NotPermitted(Permission.APPROVE)
    elsewhere = Grant(Role.OPERATIONS, Scope(warehouses=frozenset({"LYO"})))
    far = Caller("far", (elsewhere,), (await with_account(office.here, "far@x.example")).id)
    assert isinstance(await decisions.grant(rt, far, BIG.id, "1"), NotFound)
    assert await approval(rt, far, BIG.id) is None
    assert (await approvals(rt, far, None, 10, None)).items == []
    near = Caller("near", (Grant(Role.OPERATIONS, Scope(categories=frozenset({"tea"}))),))
    assert [one.id for one in (await approvals(rt, near, None, 10, None)).items] == [BIG.id]
    assert [one.id for one in (await approvals(rt, office.ann, None, 10, None)).items] == [BIG.id]
    assert (await approvals(rt, clerk, None, 10, None)).items == []


async def test_what_has_moved_meanwhile_is_not_done(office: Office) -> None:
    await asked(office)
    more = ReceiveStock(rid(30), *TEA, 1)
    good(StockLevel, await acts.receive(office.here.rt, office.ann, more))
    done = good(Approval, await office.grant())
    assert (done.state, done.outcome) == (ApprovalState.STALE, "STALE")
    assert office.held()[0] == STOCK + 1
    again = await sensitive.adjust(office.here.rt, office.ann, BIG)
    assert again == ApprovalClosed(ApprovalState.STALE)


async def test_what_cannot_be_is_not_asked_for(office: Office) -> None:
    rt, ann = office.here.rt, office.ann
    too_many = await sensitive.adjust(rt, ann, replace(BIG, delta=-STOCK - 1))
    assert isinstance(too_many, InsufficientStock)
    believed = await sensitive.adjust(rt, ann, replace(BIG, change_from=7))
    assert believed == Stale(7, STOCK)
    assert isinstance(
        await sensitive.adjust(rt, ann, replace(BIG, sku="NONE")), StockLevel | NotFound
    )
    assert (await approvals(rt, office.bob, None, 10, None)).items == []


async def test_a_request_is_rejected_or_taken_back_or_expires(office: Office) -> None:
    rt = office.here.rt
    for number, caller in ((21, office.bob), (22, office.ann)):
        command = replace(BIG, id=rid(number))
        await asked(office, command)
        no = good(Approval, await decisions.reject(rt, caller, command.id))
        assert no.state is ApprovalState.REJECTED
        assert await office.grant(command.id) == ApprovalClosed(ApprovalState.REJECTED)
    await asked(office)
    office.here.clock.time += LIFE
    assert await office.state() is ApprovalState.EXPIRED
    assert await office.grant() == ApprovalClosed(ApprovalState.EXPIRED)
    again = await sensitive.adjust(rt, office.ann, BIG)
    assert again == ApprovalClosed(ApprovalState.EXPIRED)
    expired = (await approvals(rt, office.bob, (ApprovalState.EXPIRED,), 10, None)).items
    assert [one.id for one in expired] == [BIG.id]
    assert (await approvals(rt, office.bob, (ApprovalState.PENDING,), 10, None)).items == []
    assert office.held()[0] == STOCK


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
async def test_what_broke_off_while_it_was_done_is_finished(office: Office, fault: str) -> None:
    """By the asker, or by the second person once more; done once in either case."""
    await asked(office)
    office.store.faults += [fault]  # type: ignore[list-item]
    try:
        await office.grant()
    except Outage:
        assert await office.state() is ApprovalState.GRANTED
    level = good(StockLevel, await sensitive.adjust(office.here.rt, office.ann, BIG))
    assert (level.available, level.seq) == (STOCK - 1_001, 2)
    assert good(Approval, await office.grant()).state is ApprovalState.DONE
    assert office.store.cells[TEA].seq == 2


async def test_what_broke_off_is_finished_by_itself_in_a_while(office: Office) -> None:
    await asked(office)
    office.store.faults += ["lost before"] * 5
    try:
        await office.grant()
    except Outage:
        assert await office.state() is ApprovalState.GRANTED
    office.store.faults.clear()
    finisher = Finisher(office.here.rt)
    office.here.clock.time += ABANDONED
    await asyncio.gather(finisher.look(), finisher.look())
    assert await office.state() is ApprovalState.DONE
    assert office.store.cells[TEA].seq == 2


async def test_a_write_off_needs_two_and_another_move_does_not(office: Office) -> None:
    rt, ann = office.here.rt, office.ann
    aside = MoveStock(rid(41), *TEA, Bucket.AVAILABLE, Bucket.QUARANTINED, 4_000)
    good(StockLevel, await sensitive.move(rt, ann, aside))
    scrap = MoveStock(rid(42), *TEA, Bucket.QUARANTINED, Bucket.DAMAGED, 3_000)
    good(NeedsApproval, await sensitive.move(rt, ann, scrap))
    request = good(Approval, await approval(rt, office.bob, scrap.id))
    assert request.changes == (
        Change("quarantined", "4000", "1000"),
        Change("damaged", "0", "3000"),
    )
    assert good(Approval, await office.grant(scrap.id)).state is ApprovalState.DONE
    assert good(StockLevel, await sensitive.move(rt, ann, scrap)).damaged == 3_000
    assert office.held() == [1_000, 0, 1_000, 3_000]
    late = replace(scrap, id=rid(43), quantity=1_001, source=Bucket.AVAILABLE)
    assert isinstance(await sensitive.move(rt, ann, late), InsufficientStock)


async def test_who_asked_and_has_lost_the_right_is_refused_when_it_is_granted(
    office: Office,
) -> None:
    await asked(office)
    await connection().execute_query(
        "UPDATE person_grant SET role = 'analyst' WHERE role <> 'owner'"
    )
    done = good(Approval, await office.grant())
    assert (done.state, done.outcome) == (ApprovalState.FAILED, "NOT_PERMITTED")
    assert office.held()[0] == STOCK


async def test_what_a_key_asked_for_dies_with_the_key(office: Office) -> None:
    """Nor may it do more by then than the key may, whatever its maker may."""
    rt, bob = office.here.rt, office.bob
    dan = await holder(office.here, "dan@shop.example", ADMIN)
    till = CreateApiKey(rid(81), "till", (CLERK,))
    machine = good(Caller, await identify(rt, await issued(office.here, dan, till)))
    for number, is_revoked in ((82, False), (83, True)):
        command = replace(BIG, id=rid(number))
        good(NeedsApproval, await sensitive.adjust(rt, machine, command))
        if is_revoked:
            good(ApiKey, await people_acts.revoke_key(rt, dan, till.id))
        done = good(Approval, await decisions.grant(rt, bob, command.id, office.code()))
        outcome = "NOT_PERMITTED" if is_revoked else "DONE"
        assert (done.asked_by, done.outcome) == (f"key:{till.id}", outcome)
    assert office.held()[0] == STOCK - 1_001


async def test_what_was_asked_for_with_a_password_that_is_set_anew_is_not_done(
    office: Office,
) -> None:
    """Whoever had the old one may have asked."""
    await asked(office)
    await Person.filter(email=ANN).update(must_change=True)
    done = good(Approval, await office.grant())
    assert (done.state, done.outcome) == (ApprovalState.FAILED, "NOT_PERMITTED")
    assert office.held()[0] == STOCK


async def test_requests_are_watched(office: Office) -> None:
    stranger = await holder(office.here, "zoe@shop.example", ANALYST)
    seen = changed(office.here.rt, office.bob)
    nothing = changed(office.here.rt, stranger)
    hidden = asyncio.ensure_future(anext(nothing))
    try:
        async with asyncio.timeout(60):
            await asked(office)
            assert (await anext(seen)).state is ApprovalState.PENDING
            office.here.clock.time += timedelta(seconds=1)
            await office.grant()
            state = (await anext(seen)).state
            while state is not ApprovalState.DONE:
                state = (await anext(seen)).state
        assert not hidden.done()
    finally:
        hidden.cancel()
        await asyncio.gather(hidden, return_exceptions=True)
        await seen.aclose()
        await nothing.aclose()
