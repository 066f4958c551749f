"""Second factors in a real database: what a code is worth, how often, and for whom."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import click
import pytest
from click.testing import CliRunner

from api.commands.accounts import close_account_command, remove_second_factor_command
from domain.access import Caller
from domain.lockout import ACCOUNT
from domain.refusals import Invalid, InvalidCredentials, LockedOut, NotFound, NotPermitted
from domain.second_factor import DEVICE_LIFE, ENROL_LIFE, RECOVERY_CODES
from infra.clock import SystemClock
from infra.identity_models import Person, RecoveryCode
from infra.identity_models import SecondFactor as FactorRow
from infra.trail import Trail
from services import identity_acts as acts
from services.account import OWN_ACCOUNT
from services.by_machine import close_account, take_off_factor
from services.identify import identify, key_subject
from services.second_factor import (
    OFF,
    Enrolment,
    Proof,
    RecoveryCodes,
    SecondFactor,
    TrustedDevice,
    second_factor,
    unproved,
)
from tests.actors.world import rid
from tests.integration.factors import confirmed, with_factor
from tests.integration.people import (
    ANALYST,
    ANN,
    BOB,
    GOOD,
    OTHER,
    OWNER,
    People,
    good,
    holder,
    people,
    session_of,
)

WRONG = InvalidCredentials()
SECOND = timedelta(seconds=1)


@pytest.fixture
async def here(people_url: str) -> AsyncIterator[People]:
    async with people(people_url) as opened:
        yield opened


@pytest.fixture
async def ann(here: People) -> Caller:
    return await holder(here, ANN, ANALYST)


async def is_proved(here: People, caller: Caller, code: str) -> bool:
    no = await unproved(here.rt, caller, Proof(code))
    assert no in (None, WRONG)
    return no is None


async def test_a_factor_is_on_once_its_first_code_was_given(here: People, ann: Caller) -> None:
    assert await second_factor(ann) == OFF
    enrolment = good(Enrolment, await acts.enrol(here.rt, ann, GOOD))
    assert await acts.enrol(here.rt, ann, GOOD) == enrolment
    assert await second_factor(ann) == OFF
    assert await acts.confirm_factor(here.rt, ann, "no code") == WRONG
    _, codes = await confirmed(here, ann, enrolment)
    assert await second_factor(ann) == SecondFactor(True, here.clock.now(), RECOVERY_CODES)
    assert len(set(codes.codes)) == RECOVERY_CODES
    on = Invalid("secondFactor", "is on: remove it first")
    assert await acts.enrol(here.rt, ann, GOOD) == on


async def test_a_session_alone_enrols_nothing(here: People, ann: Caller) -> None:
    assert good(Invalid, await acts.enrol(here.rt, ann, None)).field == "password"
    assert await acts.enrol(here.rt, ann, OTHER) == WRONG
    await Person.filter(id=ann.person).update(must_change=True)
    assert good(Invalid, await acts.enrol(here.rt, ann, GOOD)).field == "password"
    await Person.filter(id=ann.person).update(must_change=False, password_hash=None)
    good(Enrolment, await acts.enrol(here.rt, ann, None))


async def test_an_enrolment_waits_for_its_code_only_for_a_while(here: People, ann: Caller) -> None:
    before = good(Enrolment, await acts.enrol(here.rt, ann, GOOD))
    here.clock.tick(seconds=ENROL_LIFE.total_seconds())
    assert await acts.confirm_factor(here.rt, ann, "no code") == NotFound("enrolment", ANN)
    after = good(Enrolment, await acts.enrol(here.rt, ann, GOOD))
    assert after.secret != before.secret
    await confirmed(here, ann, after)


async def test_a_code_is_good_once_also_for_two_at_once(here: People, ann: Caller) -> None:
    authenticator, _ = await with_factor(here, ann)
    code = authenticator()
    tries = await asyncio.gather(*(is_proved(here, ann, code) for _ in range(4)))
    assert sorted(tries) == [False, False, False, True]
    assert not await is_proved(here, ann, code)
    assert await is_proved(here, ann, authenticator())


async def test_a_code_before_one_that_was_used_is_not_taken(here: People, ann: Caller) -> None:
    authenticator, _ = await with_factor(here, ann)
    older, newer = authenticator(), authenticator()
    assert await is_proved(here, ann, newer)
    assert not await is_proved(here, ann, older)


async def test_a_recovery_code_is_good_once_and_kept_as_a_hash(here: People, ann: Caller) -> None:
    _, codes = await with_factor(here, ann)
    lost = codes.codes[3]
    assert await is_proved(here, ann, lost.upper())
    assert not await is_proved(here, ann, lost)
    assert good(SecondFactor, await second_factor(ann)).recovery_codes_left == RECOVERY_CODES - 1
    stored = b"".join([row.code_hash for row in await RecoveryCode.all()])
    assert lost.replace("-", "").encode() not in stored


async def test_new_recovery_codes_end_the_former_ones(here: People, ann: Caller) -> None:
    authenticator, codes = await with_factor(here, ann)
    renewed = good(RecoveryCodes, await acts.renew_codes(here.rt, ann, authenticator()))
    assert not set(renewed.codes) & set(codes.codes)
    assert not await is_proved(here, ann, codes.codes[0])
    assert await is_proved(here, ann, renewed.codes[0])


async def test_removing_it_needs_a_code_and_ends_all_that_hung_on_it(
    here: People, ann: Caller
) -> None:
    authenticator, codes = await with_factor(here, ann)
    device = good(TrustedDevice, await acts.trust_device(here.rt, ann, authenticator()))
    assert await acts.remove_factor(here.rt, ann, "no code") == WRONG
    assert await acts.remove_factor(here.rt, ann, authenticator()) == OFF
    assert await second_factor(ann) == OFF
    assert await RecoveryCode.all().count() == 0
    none = NotFound("second factor", ANN)
    assert await unproved(here.rt, ann, Proof(codes.codes[0])) == none
    await with_factor(here, ann)
    assert await unproved(here.rt, ann, Proof(device=device.token)) == WRONG


async def test_a_trusted_device_stands_for_a_code_for_half_a_day(here: People, ann: Caller) -> None:
    authenticator, _ = await with_factor(here, ann)
    device = good(TrustedDevice, await acts.trust_device(here.rt, ann, authenticator()))
    assert device.expires_at == here.clock.now().replace(microsecond=0) + DEVICE_LIFE
    proof = Proof(device=device.token)
    assert await unproved(here.rt, ann, proof) is None
    assert await unproved(here.rt, ann, Proof(device=device.token[:-1])) == WRONG
    assert await unproved(here.rt, ann, Proof()) == WRONG
    here.clock.time = device.expires_at - SECOND
    assert await unproved(here.rt, ann, proof) is None
    here.clock.time = device.expires_at
    assert await unproved(here.rt, ann, proof) == WRONG


async def test_a_device_is_trusted_for_its_person_only(here: People, ann: Caller) -> None:
    bob = await holder(here, BOB, ANALYST)
    authenticator, _ = await with_factor(here, ann)
    await with_factor(here, bob)
    device = good(TrustedDevice, await acts.trust_device(here.rt, ann, authenticator()))
    assert await unproved(here.rt, bob, Proof(device=device.token)) == WRONG


async def test_who_guesses_codes_waits_and_still_signs_in(here: People, ann: Caller) -> None:
    authenticator, _ = await with_factor(here, ann)
    code = authenticator()
    for _ in range(ACCOUNT.free + 1):
        assert await acts.remove_factor(here.rt, ann, "no code") == WRONG
    good(LockedOut, await acts.remove_factor(here.rt, ann, code))
    await session_of(here, ANN)
    good(SecondFactor, await acts.remove_factor(here.rt, ann, authenticator()))


async def test_a_key_of_the_person_has_no_second_factor(here: People, ann: Caller) -> None:
    authenticator, _ = await with_factor(here, ann)
    no = NotPermitted(OWN_ACCOUNT)
    for other in (replace(ann, subject=key_subject(rid(1))), Caller("dev", (ANALYST,))):
        assert await second_factor(other) == no
        assert await acts.enrol(here.rt, other, GOOD) == no
        assert await acts.confirm_factor(here.rt, other, authenticator()) == no
        assert await unproved(here.rt, other, Proof(authenticator())) == no


async def test_many_enrolments_at_once_are_one(here: People, ann: Caller) -> None:
    answers = await asyncio.gather(*(acts.enrol(here.rt, ann, GOOD) for _ in range(4)))
    assert len({good(Enrolment, answer).secret for answer in answers}) == 1
    assert await FactorRow.all().count() == 1


async def test_who_has_the_machine_takes_it_off_somebody(here: People, ann: Caller) -> None:
    await with_factor(here, ann)
    assert await take_off_factor(here.rt.trail, SystemClock(), " Ann@Shop.example") is None
    assert await second_factor(ann) == OFF
    again = await take_off_factor(here.rt.trail, SystemClock(), ANN)
    assert again == "that account has no second factor"
    unknown = await take_off_factor(Trail(), SystemClock(), BOB)
    assert unknown == "nobody has an account with that address"


async def test_who_has_the_machine_closes_an_account_but_the_last_owners(here: People) -> None:
    for email in (ANN, BOB):
        await holder(here, email, OWNER)
    session = await session_of(here, ANN)
    assert await close_account(here.rt.trail, here.clock, ANN) is None
    assert await identify(here.rt, session.access_token) is None
    no = await close_account(here.rt.trail, here.clock, BOB)
    assert no == "that account is the last owner of the shop"
    unknown = await close_account(here.rt.trail, here.clock, "nobody@shop.example")
    assert unknown == "nobody has an account with that address"


@pytest.mark.parametrize("command", [remove_second_factor_command, close_account_command])
def test_the_command_tells_why_it_does_nothing(people_url: str, command: click.Command) -> None:
    environ = {
        "ONHAND_DATABASE_URL": people_url,
        "ONHAND_NATS_URL": "nats://nowhere",
        "ONHAND_REDIS_URL": "redis://nowhere",
        "ONHAND_RAY_ADDRESS": "nowhere:1",
    }
    asked = ["--email", "nobody@shop.example"]
    result = CliRunner().invoke(command, asked, env=environ)
    assert (result.exit_code, "nobody has an account" in result.output) == (1, True)
