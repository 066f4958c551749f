"""One person cannot be two: accounts that may ask for or grant sensitive acts are made what they
are by two, as soon as there are two."""

from domain.access import PERMISSIONS, Caller, Permission, Role
from domain.approvals import DECIDING, INVOLVED
from domain.refusals import (
    ApprovalClosed,
    Conflict,
    Invalid,
    InvalidCredentials,
    NeedsApproval,
    NotFound,
    NotPermitted,
)
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from infra.identity_models import PersonGrant
from services import decisions, people_acts
from services import sensitive_accounts as sensitive
from services.api_keys import Issued, RotateApiKey
from services.approvals import Approval, Change, approval
from services.people import User, stored
from services.sessions import Session, SignIn, sign_in
from tests.actors.world import rid
from tests.integration.office import Office, decider
from tests.integration.people import (
    ADMIN,
    ANALYST,
    GOOD,
    KEY,
    OTHER,
    good,
    holder,
    issued,
)

ID = rid(1)


async def granted(office: Office) -> Approval:
    return good(Approval, await decisions.grant(office.here.rt, office.bob, ID, office.code()))


async def is_open(caller: Caller) -> bool:
    assert caller.person is not None
    return good(User, await stored(caller.person)).is_active


def test_who_may_ask_or_grant_is_involved() -> None:
    assert {Role.OWNER, Role.ADMIN, Role.OPERATIONS} == DECIDING
    assert DECIDING | {Role.WAREHOUSE, Role.FINANCE} == INVOLVED
    assert all(Permission.APPROVE in PERMISSIONS[role] for role in DECIDING)


async def test_an_account_that_decides_is_closed_by_two(office: Office) -> None:
    rt = office.here.rt
    cat, _ = await decider(office)
    dan = await holder(office.here, "dan@shop.example", ADMIN)
    assert dan.person is not None
    alone = await sensitive.set_active(rt, cat, dan.person, False)
    assert good(Invalid, alone).field == "id"
    good(NeedsApproval, await sensitive.set_active(rt, cat, dan.person, False, ID))
    other = await sensitive.set_active(rt, cat, dan.person, True, ID)
    assert other == Conflict(ID)
    request = good(Approval, await approval(rt, office.bob, ID))
    assert (request.target, request.changes) == (
        dan.subject,
        (Change("account", "open", "closed"),),
    )
    assert await is_open(dan)
    assert (await granted(office)).state is ApprovalState.DONE
    assert not await is_open(dan)


async def test_what_was_granted_once_is_not_done_again(office: Office) -> None:
    """Somebody opens the account again, by two as well; the old request does not close it."""
    rt = office.here.rt
    cat, code = await decider(office)
    dan = await holder(office.here, "dan@shop.example", ADMIN)
    assert dan.person is not None
    await sensitive.set_active(rt, cat, dan.person, False, ID)
    await granted(office)
    good(Invalid, await sensitive.set_active(rt, office.bob, dan.person, True))
    good(NeedsApproval, await sensitive.set_active(rt, office.bob, dan.person, True, rid(2)))
    good(Approval, await decisions.grant(rt, cat, rid(2), code()))
    assert good(User, await sensitive.set_active(rt, cat, dan.person, False, ID)).is_active


async def test_who_decides_nothing_is_closed_at_once_and_opened_by_two(office: Office) -> None:
    rt = office.here.rt
    cat, _ = await decider(office)
    assert office.ann.person is not None
    closed = good(User, await sensitive.set_active(rt, cat, office.ann.person, False))
    assert not closed.is_active
    again = good(User, await sensitive.set_active(rt, cat, office.ann.person, False))
    assert not again.is_active
    no = await sensitive.set_active(rt, cat, office.ann.person, True)
    assert good(Invalid, no).field == "id", "she may ask"


async def test_a_role_that_decides_is_taken_away_by_two(office: Office) -> None:
    rt = office.here.rt
    cat, _ = await decider(office)
    dan = await holder(office.here, "dan@shop.example", ADMIN, ANALYST)
    rows = {row.role: row.id for row in await PersonGrant.filter(person_id=dan.person)}
    good(User, await sensitive.revoke_role(rt, cat, rows["analyst"]))
    alone = await sensitive.revoke_role(rt, cat, rows["admin"])
    assert good(Invalid, alone).field == "requestId"
    good(NeedsApproval, await sensitive.revoke_role(rt, cat, rows["admin"], ID))
    request = good(Approval, await approval(rt, office.bob, ID))
    assert request.changes == (Change("role", "admin", None),)
    assert (await granted(office)).state is ApprovalState.DONE
    assert good(User, await sensitive.revoke_role(rt, cat, rows["admin"], ID)).grants == ()
    assert isinstance(await sensitive.revoke_role(rt, cat, rid(99)), NotFound)


async def test_the_password_of_who_may_ask_is_set_by_two_and_kept_nowhere(office: Office) -> None:
    rt, ann = office.here.rt, office.ann
    cat, _ = await decider(office)
    assert ann.person is not None
    alone = await sensitive.set_password(rt, cat, ann.person, OTHER)
    assert good(Invalid, alone).field == "id"
    weak = await sensitive.set_password(rt, cat, ann.person, "password1234", ID)
    assert good(Invalid, weak).field == "password"
    good(NeedsApproval, await sensitive.set_password(rt, cat, ann.person, OTHER, ID))
    row = await Row.get(id=ID)
    assert OTHER not in str(row.command) + str(row.changes)
    assert (await granted(office)).state is ApprovalState.GRANTED
    assert await sign_in(rt, SignIn(ann.subject, OTHER)) == InvalidCredentials()
    done = good(User, await sensitive.set_password(rt, cat, ann.person, OTHER, ID))
    assert done.must_change_password
    good(Session, await sign_in(rt, SignIn(ann.subject, OTHER)))
    good(User, await sensitive.set_password(rt, cat, ann.person, GOOD, ID))
    assert await sign_in(rt, SignIn(ann.subject, GOOD)) == InvalidCredentials(), "once"


async def test_a_rejected_request_leaves_the_account_as_it_is(office: Office) -> None:
    rt = office.here.rt
    cat, _ = await decider(office)
    assert office.ann.person is not None
    good(NeedsApproval, await sensitive.set_password(rt, cat, office.ann.person, OTHER, ID))
    good(Approval, await decisions.reject(rt, office.bob, ID))
    answer = await sensitive.set_password(rt, cat, office.ann.person, OTHER, ID)
    assert answer == ApprovalClosed(ApprovalState.REJECTED)
    assert await sign_in(rt, SignIn(office.ann.subject, OTHER)) == InvalidCredentials()


async def test_the_one_who_is_concerned_may_agree(office: Office) -> None:
    """Where there are only two, the other one is."""
    rt = office.here.rt
    cat, code = await decider(office)
    assert cat.person is not None
    good(NeedsApproval, await sensitive.set_active(rt, office.bob, cat.person, False, ID))
    assert await decisions.grant(rt, office.bob, ID, office.code()) == decisions.OWN
    done = good(Approval, await decisions.grant(rt, cat, ID, code()))
    assert done.state is ApprovalState.DONE
    assert not await is_open(cat)


async def test_who_is_alone_does_all_of_it_alone(office: Office) -> None:
    rt = office.here.rt
    dan = await holder(office.here, "dan@shop.example", ADMIN)
    assert dan.person is not None
    good(User, await sensitive.set_password(rt, office.bob, dan.person, OTHER))
    good(User, await sensitive.set_active(rt, office.bob, dan.person, False))


async def test_who_may_not_is_refused_as_before(office: Office) -> None:
    rt, ann = office.here.rt, office.ann
    cat, _ = await decider(office)
    assert cat.person is not None
    assert isinstance(await sensitive.set_active(rt, ann, cat.person, False, ID), NotPermitted)
    assert isinstance(await sensitive.set_password(rt, ann, cat.person, OTHER, ID), NotPermitted)
    assert isinstance(await sensitive.revoke_role(rt, ann, rid(99), ID), NotPermitted)
    assert isinstance(await sensitive.set_active(rt, cat, rid(99), False), NotFound)
    owner = office.bob.person
    assert owner is not None
    beyond = await sensitive.set_active(rt, cat, owner, False, ID)
    assert beyond == NotPermitted("grant:owner")


async def test_nobody_gets_a_secret_of_somebody_elses_key(office: Office) -> None:
    """It would ask in its maker's name, and who has it could grant that."""
    rt = office.here.rt
    cat, _ = await decider(office)
    await issued(office.here, cat)
    rotate = RotateApiKey(rid(60), KEY.id, office.here.clock.time - office.here.clock.time)
    answer = await people_acts.rotate_key(rt, office.bob, rotate)
    assert good(Invalid, answer).field == "keyId"
    assert good(Issued, await people_acts.rotate_key(rt, cat, rotate)).secret
