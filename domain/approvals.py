"""Sensitive acts: what destroys value or gives power is asked for by one person and granted by
another. Which acts, who may grant them, and how a request goes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.access import Role
from domain.ledger import Bucket
from domain.states import ApprovalState

LIFE = timedelta(hours=24)
"""For so long a request waits."""


class Sensitive(StrEnum):
    ADJUST = "adjustStock"
    WRITE_OFF = "moveStock"
    GRANT_ROLE = "grantRole"
    CREATE_KEY = "createApiKey"


BY_ASKER = frozenset({Sensitive.CREATE_KEY})
"""Granted, it waits for the asker to come again: the answer has a secret for nobody else."""


GOES_ON = (ApprovalState.GRANTED, ApprovalState.DONE)
"""Carried out, or to be: the same command again gives the same answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Above `units`, or above `value_cents` at the last price, stock is not corrected or written
    off by one person. `roles` are not given by one person, to people or keys."""

    units: int
    value_cents: int
    roles: frozenset[Role]


def is_much(policy: Policy, units: int, price_cents: int | None) -> bool:
    """Of what is corrected or written off; where no price is known only the units count."""
    return units > policy.units or units * (price_cents or 0) > policy.value_cents


def is_written_off(target: Bucket) -> bool:
    """A move that destroys value."""
    return target is Bucket.DAMAGED


def state_of(
    act: Sensitive, state: ApprovalState, expires_at: datetime, now: datetime
) -> ApprovalState:
    """As it is now: nothing has to be written for a request to expire."""
    waits = state is ApprovalState.PENDING
    waits = waits or (state is ApprovalState.GRANTED and act in BY_ASKER)
    return ApprovalState.EXPIRED if waits and now >= expires_at else state


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked: `person` is whose account that is, also behind a key; None for a development
    token, whose `subject` is all that is known."""

    subject: str
    person: UUID | None


def is_own(asker: Asker, subject: str, person: UUID | None) -> bool:
    """Nobody decides on what they asked for, nor on what a key of theirs did."""
    same_person = person is not None and person == asker.person
    return same_person or subject == asker.subject


def needs_second(policy: Policy, roles: Iterable[Role], others: Collection[UUID]) -> bool:
    """`others` are the people besides the asker who could grant it. While there is nobody, the
    first owner makes the second one alone: the shop could never get a second person otherwise."""
    return bool(others) and not policy.roles.isdisjoint(roles)
