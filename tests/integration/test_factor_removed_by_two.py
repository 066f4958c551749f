"""The second factor of whoever may decide on other people's acts is taken off by two."""

from domain.access import Caller
from domain.refusals import (
    ApprovalClosed,
    Conflict,
    Invalid,
    InvalidCredentials,
    NeedsApproval,
    NotFound,
)
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from services import decisions, identity_acts
from services import sensitive_accounts as sensitive
from services.approvals import Approval, Change, approval
from services.second_factor import SecondFactor, second_factor
from tests.actors.world import rid
from tests.integration.factors import with_factor
from tests.integration.office import CAT, CLERK, Office, decider
from tests.integration.people import ADMIN, good, holder

ID = rid(1)


async def is_on(caller: Caller) -> bool:
    return good(SecondFactor, await second_factor(caller)).is_on


async def test_it_is_asked_for_with_a_code_and_granted_by_somebody_else(office: Office) -> None:
    rt = office.here.rt
    cat, code = await decider(office)
    assert good(Invalid, await sensitive.remove_factor(rt, cat, code())).field == "id"
    assert await sensitive.remove_factor(rt, cat, "000000", ID) == InvalidCredentials()
    assert not await Row.all().exists()
    used = code()
    first = good(NeedsApproval, await sensitive.remove_factor(rt, cat, used, ID))
    assert await sensitive.remove_factor(rt, cat, used, ID) == first, "the answer was lost"
    request = good(Approval, await approval(rt, office.bob, ID))
    assert (request.target, request.changes) == (CAT, (Change("second factor", "on", "off"),))
    assert await is_on(cat)
    assert await decisions.grant(rt, cat, ID, code()) == decisions.OWN
    done = good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert done.state is ApprovalState.DONE
    assert not await is_on(cat)
    assert not good(SecondFactor, await sensitive.remove_factor(rt, cat, "-", ID)).is_on


async def test_a_new_one_is_not_taken_off_by_an_old_request(office: Office) -> None:
    rt = office.here.rt
    cat, code = await decider(office)
    good(NeedsApproval, await sensitive.remove_factor(rt, cat, code(), ID))
    good(SecondFactor, await identity_acts.remove_factor(rt, cat, code()))
    await with_factor(office.here, cat)
    good(Approval, await decisions.grant(rt, office.bob, ID, office.code()))
    assert await is_on(cat)


async def test_a_rejected_request_leaves_it_on(office: Office) -> None:
    rt = office.here.rt
    cat, code = await decider(office)
    good(NeedsApproval, await sensitive.remove_factor(rt, cat, code(), ID))
    good(Approval, await decisions.reject(rt, office.bob, ID))
    answer = await sensitive.remove_factor(rt, cat, code(), ID)
    assert answer == ApprovalClosed(ApprovalState.REJECTED)
    assert await is_on(cat)


async def test_an_id_of_another_request_is_a_conflict(office: Office) -> None:
    rt = office.here.rt
    cat, code = await decider(office)
    dan = await holder(office.here, "dan@shop.example", ADMIN)
    dans, _ = await with_factor(office.here, dan)
    good(NeedsApproval, await sensitive.remove_factor(rt, cat, code(), ID))
    assert await sensitive.remove_factor(rt, dan, dans(), ID) == Conflict(ID)


async def test_who_decides_on_nothing_takes_off_their_own(office: Office) -> None:
    rt = office.here.rt
    code, _ = await with_factor(office.here, office.ann)
    assert office.ann.grants == (CLERK,)
    assert not good(SecondFactor, await sensitive.remove_factor(rt, office.ann, code())).is_on


async def test_who_is_alone_takes_off_their_own(office: Office) -> None:
    rt = office.here.rt
    assert not good(
        SecondFactor, await sensitive.remove_factor(rt, office.bob, office.code())
    ).is_on
    missing = await sensitive.remove_factor(rt, office.bob, office.code())
    assert isinstance(missing, NotFound)
