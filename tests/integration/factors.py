"""People with authenticators, for tests."""

from collections.abc import Callable

from domain.access import Caller
from domain.second_factor import STEP_SECONDS, step_of
from infra.totp import code_of
from services import identity_acts as acts
from services.second_factor import Enrolment, RecoveryCodes
from tests.integration.people import GOOD, People, good

Authenticator = Callable[[], str]
"""Gives a code that was not used yet."""


async def with_factor(here: People, caller: Caller) -> tuple[Authenticator, RecoveryCodes]:
    enrolment = good(Enrolment, await acts.enrol(here.rt, caller, GOOD))
    return await confirmed(here, caller, enrolment)


async def confirmed(
    here: People, caller: Caller, enrolment: Enrolment
) -> tuple[Authenticator, RecoveryCodes]:
    def code() -> str:
        here.clock.tick(seconds=STEP_SECONDS)
        return code_of(enrolment.secret, step_of(here.clock.now()))

    return code, good(RecoveryCodes, await acts.confirm_factor(here.rt, caller, code()))
