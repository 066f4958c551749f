"""Powerful roles are given by two people, to people and to keys, once there are two."""

import asyncio
from dataclasses import replace

from domain.access import Caller
from domain.approvals import LIFE
from domain.refusals import (
    ApprovalClosed,
    NeedsApproval,
)
from domain.states import ApprovalState
from infra.approval_models import Approval as Row
from services import decisions
from services import sensitive_accounts as sensitive
from services.api_keys import CreateApiKey, Issued
from services.approvals import Approval, Change, approval
from services.approved import carry_out
from services.granting import GrantRole
from services.people import User
from tests.actors.world import rid
from tests.integration.factors import with_factor
from tests.integration.office import Office
from tests.integration.people import (
    ADMIN,
    ANALYST,
    BOB,
    OWNER,
    good,
    holder,
    with_account,
)


async def test_the_first_owner_makes_the_second_one_alone(office: Office) -> None:
    """From then on powerful roles are given by two."""
    rt, bob = office.here.rt, office.bob
    dan = await with_account(office.here, "dan@shop.example")
    given = good(User, await sensitive.grant_role(rt, bob, GrantRole(rid(61), dan.id, OWNER)))
    assert [held.grant for held in given.grants] == [OWNER]
    owner = Caller(dan.email, (OWNER,), dan.id)
    code, _ = await with_factor(office.here, owner)
    eve = await with_account(office.here, "eve@shop.example")
    command = GrantRole(rid(62), eve.id, ADMIN)
    good(NeedsApproval, await sensitive.grant_role(rt, bob, command))
    plain = GrantRole(rid(63), eve.id, ANALYST)
    good(User, await sensitive.grant_role(rt, bob, plain))
    stale = good(Approval, await decisions.grant(rt, owner, command.id, code()))
    assert stale.state is ApprovalState.STALE
    again = replace(command, id=rid(64))
    good(NeedsApproval, await sensitive.grant_role(rt, bob, again))
    request = good(Approval, await approval(rt, owner, again.id))
    assert request.changes == (Change("roles", "analyst", "analyst; admin"),)
    done = good(Approval, await decisions.grant(rt, owner, again.id, code()))
    assert done.state is ApprovalState.DONE
    user = good(User, await sensitive.grant_role(rt, bob, again))
    assert {held.grant for held in user.grants} == {ANALYST, ADMIN}
    assert {held.granted_by for held in user.grants} == {BOB}


async def test_who_finish_a_granted_role_at_once_all_find_it_done(office: Office) -> None:
    """What one of them has done is no change that makes it stale for the others."""
    rt, bob = office.here.rt, office.bob
    dan = await holder(office.here, "dan@shop.example", OWNER)
    code, _ = await with_factor(office.here, dan)
    eve = await with_account(office.here, "eve@shop.example")
    for number in range(81, 89):
        command = GrantRole(rid(number), eve.id, ADMIN)
        good(NeedsApproval, await sensitive.grant_role(rt, bob, command))
        row = good(Row, await decisions.permitted(rt, dan, command.id, code()))
        answers = await asyncio.gather(*(carry_out(rt, row) for _ in range(8)))
        assert {type(answer) for answer in answers} == {User}
        assert await office.state(command.id) is ApprovalState.DONE


async def test_a_powerful_key_is_made_when_its_asker_comes_again(office: Office) -> None:
    """So that nobody else sees its secret; and not when the time is over."""
    rt, bob = office.here.rt, office.bob
    dan = await holder(office.here, "dan@shop.example", OWNER)
    code, _ = await with_factor(office.here, dan)
    plain = CreateApiKey(rid(71), "report", (ANALYST,))
    assert good(Issued, await sensitive.create_key(rt, bob, plain)).secret
    for number, is_late in ((72, False), (73, True)):
        command = CreateApiKey(rid(number), "robot", (ADMIN,))
        good(NeedsApproval, await sensitive.create_key(rt, bob, command))
        granted = good(Approval, await decisions.grant(rt, dan, command.id, code()))
        assert granted.state is ApprovalState.GRANTED
        if is_late:
            office.here.clock.time += LIFE
            late = await sensitive.create_key(rt, bob, command)
            assert late == ApprovalClosed(ApprovalState.EXPIRED)
            continue
        assert good(Issued, await sensitive.create_key(rt, bob, command)).secret
        assert good(Issued, await sensitive.create_key(rt, bob, command)).secret is None
        assert await office.state(command.id) is ApprovalState.DONE
