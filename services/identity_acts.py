"""Sign-ins, and what people do with their own accounts, as records of the trail. Passwords, tokens
and codes are left out of what was asked and of what became of it."""

from collections.abc import Awaitable
from typing import TypeVar

from domain.access import Caller
from domain.people import email_address
from domain.refusals import InvalidCredentials, LockedOut, Refusal
from domain.trail import DONE
from services import account, second_factor, sessions
from services.account import ChangePassword, SignedOut
from services.recorded import Act, Around, keep, recorded
from services.runtime import Runtime
from services.second_factor import Enrolment, RecoveryCodes, SecondFactor, TrustedDevice
from services.session_tokens import read_refresh_token
from services.sessions import Refresh, Session, SignIn

ACTS = frozenset(
    {
        "signIn",
        "refreshSession",
        "signOut",
        "signOutEverywhere",
        "changePassword",
        "enrolSecondFactor",
        "confirmSecondFactor",
        "removeSecondFactor",
        "renewRecoveryCodes",
        "trustDevice",
    }
)
"""Mutations that leave a record; a refresh only where a token of ours was refused."""
NO_ADDRESS = "no e-mail address"
"""Stands for what was typed in its place: it may be a password."""
NOTHING = Around(None, None)
T = TypeVar("T")


async def sign_in(
    rt: Runtime, caller: Caller, command: SignIn
) -> Session | InvalidCredentials | LockedOut:
    """While an account or address is locked nothing is looked at, and nothing recorded: what is
    tried then costs us nothing."""
    answer = await sessions.sign_in(rt, command)
    act = Act("signIn", email_address(command.email) or NO_ADDRESS, None, None)
    if isinstance(answer, Session):
        await keep(rt, caller, act, DONE, Around(None, {"person": answer.person}))
    elif isinstance(answer, InvalidCredentials):
        await keep(rt, caller, act, answer.code, NOTHING)
    return answer


async def refresh(rt: Runtime, caller: Caller, command: Refresh) -> Session | InvalidCredentials:
    answer = await sessions.refresh(rt, command)
    shown = read_refresh_token(rt.settings.secret_key, command.token)
    if isinstance(answer, InvalidCredentials) and shown is not None:
        act = Act("refreshSession", str(shown.family), command.id, None)
        await keep(rt, caller, act, answer.code, NOTHING)
    return answer


async def sign_out(rt: Runtime, caller: Caller, token: str) -> SignedOut | Refusal:
    act = Act("signOut", caller.subject, None, None)
    return await recorded(rt, caller, act, account.sign_out(rt, caller, token))


async def sign_out_everywhere(rt: Runtime, caller: Caller) -> SignedOut | Refusal:
    act = Act("signOutEverywhere", caller.subject, None, None)
    return await recorded(rt, caller, act, account.sign_out_everywhere(rt, caller))


async def change_password(
    rt: Runtime, caller: Caller, command: ChangePassword
) -> SignedOut | Refusal:
    act = Act("changePassword", caller.subject, command.id, None)
    return await recorded(rt, caller, act, account.change_password(rt, caller, command))


async def enrol(rt: Runtime, caller: Caller, password: str | None) -> Enrolment | Refusal:
    doing = second_factor.enrol(rt, caller, password)
    return await untold(rt, caller, "enrolSecondFactor", doing)


async def confirm_factor(rt: Runtime, caller: Caller, code: str) -> RecoveryCodes | Refusal:
    doing = second_factor.confirm(rt, caller, code)
    return await untold(rt, caller, "confirmSecondFactor", doing)


async def remove_factor(rt: Runtime, caller: Caller, code: str) -> SecondFactor | Refusal:
    doing = second_factor.remove(rt, caller, code)
    return await untold(rt, caller, "removeSecondFactor", doing)


async def renew_codes(rt: Runtime, caller: Caller, code: str) -> RecoveryCodes | Refusal:
    doing = second_factor.renew_codes(rt, caller, code)
    return await untold(rt, caller, "renewRecoveryCodes", doing)


async def trust_device(rt: Runtime, caller: Caller, code: str) -> TrustedDevice | Refusal:
    doing = second_factor.trust_device(rt, caller, code)
    return await untold(rt, caller, "trustDevice", doing)


async def untold(
    rt: Runtime, caller: Caller, name: str, doing: Awaitable[T | Refusal]
) -> T | Refusal:
    """Neither what was shown nor what was given is kept."""
    act = Act(name, caller.subject, None, None)
    return await recorded(rt, caller, act, doing, lambda _: NOTHING)
