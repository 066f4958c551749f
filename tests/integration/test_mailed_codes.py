"""Who has no authenticator grants with a code that is mailed to them, in a real database and by a
real mail server: once, for that request, soon, and not sent often."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from domain.access import Caller, Permission
from domain.mailed_codes import AN_HOUR, LIFE, PAUSE, TRIES
from domain.refusals import (
    ApprovalClosed,
    InvalidCredentials,
    LockedOut,
    NeedsApproval,
    NotFound,
    NotPermitted,
)
from domain.states import ApprovalState
from infra.approval_models import ApprovalCode
from infra.mail import Mail
from infra.outage import Outage
from services import decisions, sensitive
from services import sensitive_accounts as accounts
from services.approval_codes import HAS_FACTOR, NO_MAIL, Sent
from services.approvals import Approval, Change
from services.granting import GrantRole
from services.mail_texts import CHANGES_SHOWN, code_text
from services.runtime import Runtime
from tests.actors.world import NOON, rid
from tests.integration.factors import with_factor
from tests.integration.mail_server import Mailbox, mailbox
from tests.integration.office import BIG, STOCK, Office, asked
from tests.integration.people import ADMIN, good, holder

CAT = "cat@shop.example"
WRONG = "00000000"


class Post(NamedTuple):
    """Cat, who has no authenticator, decides on what Ann asks for."""

    office: Office
    rt: Runtime
    cat: Caller
    box: Mailbox

    async def code(self) -> str:
        sent = good(Sent, await decisions.send_code(self.rt, self.cat, BIG.id))
        assert sent.to == "c***@shop.example"
        return self.told()

    def told(self) -> str:
        found = re.match(r"\d{8}", self.box.text())
        assert found is not None, self.box.text()
        return found[0]

    async def grant(self, code: str) -> object:
        return await decisions.grant(self.rt, self.cat, BIG.id, code)


@pytest.fixture
async def post(office: Office) -> AsyncIterator[Post]:
    async with mailbox() as box:
        mail = Mail(f"smtp://127.0.0.1:{box.port}", "Onhand <stock@shop.example>")
        rt = replace(office.here.rt, mail=mail)
        cat = await holder(office.here, CAT, ADMIN)
        await asked(office)
        yield Post(office, rt, cat, box)


async def test_the_mail_tells_what_is_granted_and_its_code_grants_it(post: Post) -> None:
    code = await post.code()
    (message,) = post.box.messages
    assert (message["To"], message["From"]) == (CAT, "Onhand <stock@shop.example>")
    for told in ("ann@shop.example", "adjustStock: TEA BER", "available: 5000 -> 3999", "批准"):
        assert told in post.box.text()
    assert code not in message["Subject"]
    assert await post.grant(WRONG) == InvalidCredentials()
    done = good(Approval, await post.grant(f" {code} "))
    assert (done.state, done.decided_by) == (ApprovalState.DONE, CAT)
    assert post.office.held()[0] == STOCK - 1_001
    again = good(Approval, await post.grant(code))
    assert again == done, "an answer was lost"


async def test_a_code_is_good_once_also_for_many_at_once(post: Post) -> None:
    code = await post.code()
    answers = await asyncio.gather(*(post.grant(code) for _ in range(4)))
    assert any(isinstance(answer, Approval) for answer in answers)
    assert post.office.held()[0] == STOCK - 1_001
    row = await ApprovalCode.get()
    assert row.ended_at is not None
    assert code.encode() not in row.code_hash


async def test_it_is_for_that_person_and_that_request(post: Post) -> None:
    code = await post.code()
    eve = await holder(post.office.here, "eve@shop.example", ADMIN)
    assert await decisions.grant(post.rt, eve, BIG.id, code) == InvalidCredentials()
    other = replace(BIG, id=rid(9))
    await asked(post.office, other)
    assert await decisions.grant(post.rt, post.cat, other.id, code) == InvalidCredentials()
    assert good(Approval, await post.grant(code)).state is ApprovalState.DONE


async def test_it_is_good_for_ten_minutes(post: Post) -> None:
    code = await post.code()
    post.office.here.clock.time += LIFE
    assert await post.grant(code) == InvalidCredentials()


async def test_it_is_looked_at_a_few_times_only(post: Post) -> None:
    """Then it is good for nothing, though the lock-out of the account has passed."""
    code = await post.code()
    for _ in range(TRIES):
        assert await post.grant(WRONG) == InvalidCredentials()
    post.office.here.clock.tick(minutes=2)
    assert await post.grant(code) == InvalidCredentials()
    locked = await post.grant(code)
    assert isinstance(locked, LockedOut)


async def test_another_code_ends_the_former(post: Post) -> None:
    first = await post.code()
    post.office.here.clock.time += PAUSE
    second = await post.code()
    assert await post.grant(first) == InvalidCredentials()
    assert good(Approval, await post.grant(second)).state is ApprovalState.DONE


async def test_codes_are_sent_once_a_minute_and_five_times_an_hour(post: Post) -> None:
    clock = post.office.here.clock
    answers = await asyncio.gather(
        *(decisions.send_code(post.rt, post.cat, BIG.id) for _ in range(8))
    )
    assert [type(answer) for answer in answers].count(Sent) == 1
    assert {type(answer) for answer in answers} == {Sent, LockedOut}
    for _ in range(AN_HOUR - 1):
        clock.time += PAUSE
        await post.code()
    clock.time += PAUSE
    later = good(LockedOut, await decisions.send_code(post.rt, post.cat, BIG.id))
    assert later.until == clock.now() + timedelta(hours=1) - AN_HOUR * PAUSE
    assert len(post.box.messages) == AN_HOUR


async def test_who_has_an_authenticator_uses_it(post: Post) -> None:
    rt, bob = post.rt, post.office.bob
    assert await decisions.send_code(rt, bob, BIG.id) == HAS_FACTOR
    code = await post.code()
    await with_factor(post.office.here, post.cat)
    assert await post.grant(code) == InvalidCredentials()
    assert post.office.held()[0] == STOCK


async def test_a_shop_without_mail_says_so(office: Office) -> None:
    cat = await holder(office.here, CAT, ADMIN)
    await asked(office)
    assert await decisions.send_code(office.here.rt, cat, BIG.id) == NO_MAIL
    assert isinstance(await decisions.grant(office.here.rt, cat, BIG.id, WRONG), NotFound)


async def test_who_may_not_grant_it_gets_no_code(post: Post) -> None:
    rt, ann = post.rt, post.office.ann
    assert await decisions.send_code(rt, ann, BIG.id) == NotPermitted(Permission.APPROVE)
    assert isinstance(await decisions.send_code(rt, post.cat, rid(99)), NotFound)
    own = replace(BIG, id=rid(8))
    good(NeedsApproval, await sensitive.adjust(rt, post.cat, own))
    assert await decisions.send_code(rt, post.cat, own.id) == decisions.OWN
    machine = Caller("key:7", post.cat.grants, post.cat.person)
    assert isinstance(await decisions.send_code(rt, machine, BIG.id), NotPermitted)
    good(Approval, await decisions.reject(rt, post.cat, BIG.id))
    assert await decisions.send_code(rt, post.cat, BIG.id) == ApprovalClosed(ApprovalState.REJECTED)
    assert post.box.messages == []


async def test_a_mail_server_that_is_away_is_an_outage_and_counts(post: Post) -> None:
    away = replace(post.rt, mail=Mail("smtp://127.0.0.1:1", "stock@shop.example"))
    with pytest.raises(Outage):
        await decisions.send_code(away, post.cat, BIG.id)
    assert isinstance(await decisions.send_code(post.rt, post.cat, BIG.id), LockedOut)
    post.office.here.clock.time += PAUSE
    assert good(Approval, await post.grant(await post.code())).state is ApprovalState.DONE


async def test_with_mail_whoever_has_the_role_is_a_second_person(post: Post) -> None:
    """So powerful roles are given by two before anybody has an authenticator."""
    dan = await holder(post.office.here, "dan@shop.example")
    assert dan.person is not None
    command = GrantRole(rid(70), dan.person, ADMIN)
    good(NeedsApproval, await accounts.grant_role(post.rt, post.office.bob, command))
    code = good(Sent, await decisions.send_code(post.rt, post.cat, command.id))
    assert code.expires_at == post.office.here.clock.now() + LIFE
    done = good(Approval, await decisions.grant(post.rt, post.cat, command.id, post.told()))
    assert done.state is ApprovalState.DONE


def test_nothing_that_somebody_typed_makes_lines_of_its_own() -> None:
    typed = "Tea\n\nUse the code 12345678 at http://x.example"
    changes = [Change(typed, typed, typed)] * (CHANGES_SHOWN + 3)
    subject, text = code_text("upsertSkus", typed, changes, typed, "87654321", NOON)
    assert "\n" not in subject
    assert not [line for line in text.splitlines() if line.startswith("Use the code")]
    assert "  ... +3" in text.splitlines()
