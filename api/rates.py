"""How often each act may be done in a minute: signing in by address, all else by caller, of whom a
person in a session does less than a machine with a key; and each act that gives power apart. The
life of a reservation is not counted: its owner says how much it can bear, and says BUSY."""

from collections import Counter
from collections.abc import Sequence

from api.problems import over
from domain.access import Caller
from domain.lockout import neighbourhood
from infra.limits import Limits
from infra.logs import ORIGIN
from infra.rates import Rates
from schema.engine import Answer
from services import identity_acts, people_acts
from services.approvals import DECISIONS
from services.identify import is_in_person

SIGN_IN = frozenset({"signIn", "refreshSession"})
HOT = frozenset(
    {
        "reserveStock",
        "confirmReservation",
        "deductReservation",
        "releaseReservation",
        "joinFlashSale",
    }
)
POWERFUL = (identity_acts.ACTS | people_acts.ACTS | DECISIONS) - SIGN_IN
"""Accounts, roles, keys, second factors, and what is decided for others."""


async def too_often(
    rates: Rates, limits: Limits, limit: str, who: str, times: int = 1
) -> Answer | None:
    """None: it may be done, and is counted."""
    seconds = await rates.wait_seconds(limit, who, getattr(limits, limit), times)
    if not seconds:
        return None
    answer = over(limits, limit, "too often", retryable=True, retryAfterSeconds=seconds)
    return answer._replace(wait_seconds=seconds)


async def signing_in_too_often(rates: Rates, limits: Limits, times: int = 1) -> Answer | None:
    address = neighbourhood(ORIGIN.get() or "nowhere")
    return await too_often(rates, limits, "sign_ins_per_minute", address, times)


async def changing_too_often(
    rates: Rates, limits: Limits, caller: Caller, acts: Sequence[str]
) -> Answer | None:
    """`acts` are the fields of a mutation."""
    if HOT.issuperset(acts):
        return None
    signing = sum(act in SIGN_IN for act in acts)
    if signing and (answer := await signing_in_too_often(rates, limits, signing)):
        return answer
    for act, times in Counter(act for act in acts if act in POWERFUL).items():
        who = f"{caller.subject} {act}"
        if answer := await too_often(rates, limits, "powerful_acts_per_minute", who, times):
            return answer
    others = len(acts) - signing - sum(act in HOT for act in acts)
    if not others:
        return None
    limit = "person_mutations_per_minute" if is_in_person(caller) else "mutations_per_minute"
    return await too_often(rates, limits, limit, caller.subject, others)
