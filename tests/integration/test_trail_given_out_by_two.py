"""The trail tells of people: many of its records are given out by two."""

from dataclasses import replace

import pytest

from domain.access import Caller, Grant, Role
from domain.approvals import LIFE
from domain.refusals import ApprovalClosed, Conflict, Invalid, NeedsApproval, NotPermitted
from domain.states import ApprovalState
from infra.trail import Trail
from services import decisions, people_acts, sensitive
from services.approvals import Approval, Change, approval
from services.pages import BadPage
from services.people import CreateUser, User
from services.runtime import Runtime
from services.trail import Export, TrailFilter
from tests.actors.world import rid
from tests.integration.office import CLERK, Office
from tests.integration.people import good, holder

ID = rid(1)
RECORDS = 3
OURS = TrailFilter(act="createUser", target="zoe@shop.example")


@pytest.fixture
async def rt(office: Office) -> Runtime:
    """A trail in the database, with RECORDS records of ours; more than two are given out by two."""
    settings = replace(office.here.rt.settings, approval_records=RECORDS - 1)
    kept = replace(office.here.rt, settings=settings, trail=Trail())
    for _ in range(RECORDS):
        command = CreateUser(rid(7), "zoe@shop.example", "Zoe")
        good(User, await people_acts.create_user(kept, office.bob, command))
    return replace(kept, trail=office.here.rt.trail)


@pytest.fixture
async def eve(office: Office) -> Caller:
    return await holder(office.here, "eve@shop.example", Grant(Role.FINANCE))


async def read(answer: object) -> list[str]:
    return [record.target async for record in good(Export, answer).records]


async def test_many_records_are_given_out_by_two_and_may_be_fetched_again(
    office: Office, rt: Runtime, eve: Caller
) -> None:
    assert good(Invalid, await sensitive.export_trail(rt, eve, OURS)).field == "request"
    good(NeedsApproval, await sensitive.export_trail(rt, eve, OURS, ID))
    request = good(Approval, await approval(rt, office.bob, ID))
    told = "act: createUser; target: zoe@shop.example"
    assert request.changes == (Change("records of the trail are given out", None, told),)
    granted = good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert granted.state is ApprovalState.GRANTED
    assert await sensitive.export_trail(rt, eve, TrailFilter(), ID) == Conflict(ID)
    for _ in range(2):
        found = await read(await sensitive.export_trail(rt, eve, OURS, ID))
        assert len(found) >= RECORDS
        assert set(found) == {"zoe@shop.example"}
    assert await office.state(ID) is ApprovalState.DONE
    office.here.clock.time += LIFE
    over = await sensitive.export_trail(rt, eve, OURS, ID)
    assert over == ApprovalClosed(ApprovalState.DONE)


async def test_few_records_are_given_out_at_once(rt: Runtime, eve: Caller) -> None:
    none = TrailFilter(act="createUser", target="nobody")
    assert await read(await sensitive.export_trail(rt, eve, none)) == []


async def test_who_may_not_read_it_is_refused(rt: Runtime) -> None:
    clerk = Caller("clerk", (CLERK,))
    assert isinstance(await sensitive.export_trail(rt, clerk, OURS, ID), NotPermitted)
    with pytest.raises(BadPage) as bad:
        await sensitive.export_trail(rt, clerk, TrailFilter(act="\0"))
    assert bad.value.field == "filter.act"


async def test_a_rejected_export_gives_nothing_out(
    office: Office, rt: Runtime, eve: Caller
) -> None:
    good(NeedsApproval, await sensitive.export_trail(rt, eve, OURS, ID))
    good(Approval, await decisions.reject(rt, office.bob, ID))
    answer = await sensitive.export_trail(rt, eve, OURS, ID)
    assert answer == ApprovalClosed(ApprovalState.REJECTED)
