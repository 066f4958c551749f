"""Sensitive acts: what destroys value or gives power is asked for by one person and granted by
another. Which acts, who may grant them, and how a request goes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.access import PERMISSIONS, Permission, Role
from domain.ledger import Bucket
from domain.states import ApprovalState

LIFE = timedelta(hours=24)
"""For so long a request waits."""


class Sensitive(StrEnum):
    ADJUST = "adjustStock"
    WRITE_OFF = "moveStock"
    UPSERT_SKUS = "upsertSkus"
    UPSERT_WAREHOUSES = "upsertWarehouses"
    CLOSE_SALE = "closeFlashSale"
    GRANT_ROLE = "grantRole"
    REVOKE_ROLE = "revokeRole"
    SET_ACTIVE = "setUserActive"
    SET_PASSWORD = "setUserPassword"
    CREATE_KEY = "createApiKey"
    REMOVE_FACTOR = "removeSecondFactor"
    EXPORT_TRAIL = "exportTrail"


NEEDED = {
    Sensitive.ADJUST: Permission.ADJUST,
    Sensitive.WRITE_OFF: Permission.MOVE,
    Sensitive.UPSERT_SKUS: Permission.CATALOGUE,
    Sensitive.UPSERT_WAREHOUSES: Permission.CATALOGUE,
    Sensitive.CLOSE_SALE: Permission.SALES,
    Sensitive.GRANT_ROLE: Permission.WRITE_USERS,
    Sensitive.REVOKE_ROLE: Permission.WRITE_USERS,
    Sensitive.SET_ACTIVE: Permission.WRITE_USERS,
    Sensitive.SET_PASSWORD: Permission.WRITE_USERS,
    Sensitive.CREATE_KEY: Permission.WRITE_KEYS,
    Sensitive.REMOVE_FACTOR: Permission.WRITE_USERS,
    Sensitive.EXPORT_TRAIL: Permission.READ_TRAIL,
}
"""Whoever grants an act might do it themselves."""
OF_CELLS = (Sensitive.ADJUST, Sensitive.WRITE_OFF)
"""Acts that are held for a part of the stock, as deciding on them is."""
DECIDING = frozenset(role for role in Role if Permission.APPROVE in PERMISSIONS[role])
"""Roles that may grant: whoever takes one away, or closes such an account, would be alone after."""
INVOLVED = DECIDING | {role for role in Role if PERMISSIONS[role] & {*NEEDED.values()}}
"""Roles that may ask or grant: whoever gives one, or sets such an account's password, could be two
people at once."""
BY_ASKER = frozenset({Sensitive.CREATE_KEY, Sensitive.SET_PASSWORD, Sensitive.EXPORT_TRAIL})
"""Granted, it waits for the asker to come again: what is asked or answered is for nobody else."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What one person does alone, at most: stock corrected, written off or taken out of a sale, and
    the difference that a new price makes to what is on hand, in `units` and in `value_cents` at the
    last price; SKUs taken out of sale by one request (`skus`); `records` exported. What two people
    give: `roles` to people, `key_roles` to keys."""

    units: int
    value_cents: int
    skus: int
    records: int
    roles: frozenset[Role]
    key_roles: frozenset[Role]


def value_of(units: int, price_cents: int | None) -> int:
    """Where no price is known only the units count."""
    return units * (price_cents or 0)


def is_much(policy: Policy, units: int, value_cents: int) -> bool:
    return units > policy.units or value_cents > policy.value_cents


def revaluation(units: int, before_cents: int | None, after_cents: int | None) -> int:
    """How much a new price changes the value of what is on hand, up or down. A first price changes
    nothing; None leaves the price as it is."""
    if before_cents is None or after_cents is None:
        return 0
    return units * abs(after_cents - before_cents)


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


def goes_on(act: Sensitive, state: ApprovalState, expires_at: datetime, now: datetime) -> bool:
    """Carried out, or to be: the same command again gives the same answer. An export may be fetched
    again as long as its request lives, as a download may break off."""
    if act is Sensitive.EXPORT_TRAIL and now >= expires_at:
        return False
    is_now = state_of(act, state, expires_at, now)
    return is_now in (ApprovalState.GRANTED, ApprovalState.DONE)


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


def is_sensitive_role(two: frozenset[Role], roles: Iterable[Role]) -> bool:
    """Whether any of the roles is one of those that two people give."""
    return not two.isdisjoint(roles)
