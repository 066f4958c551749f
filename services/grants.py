"""Grants as they are stored and shown: a role, and the names that each dimension is limited to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.access import DIMENSIONS, Grant, Role, Scope
from domain.refusals import Invalid
from infra.identity_models import PersonGrant
from infra.models import NAME_LENGTH
from services.checks import bad_text

NAMES_LIMIT = 100
"""Names in one dimension of a scope."""
GRANTS_LIMIT = 20
"""Grants of one person or key."""


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant that somebody has now."""

    id: UUID
    grant: Grant
    granted_by: str
    granted_at: datetime


def held_of(rows: Iterable[PersonGrant]) -> tuple[HeldGrant, ...]:
    """The oldest first."""
    held = [row for row in rows if row.ended_at is None]
    held.sort(key=lambda row: (row.granted_at, row.id))
    return tuple(HeldGrant(r.id, granted(r), r.granted_by, r.granted_at) for r in held)


def granted(row: PersonGrant) -> Grant:
    return Grant(Role(row.role), scope_of(row.scope))


def plain_scope(scope: Scope) -> dict[str, list[str]]:
    """A dimension that is not limited is left out."""
    given = ((name, getattr(scope, name)) for name in DIMENSIONS)
    return {name: sorted(names) for name, names in given if names is not None}


def scope_of(plain: Mapping[str, Iterable[str] | None]) -> Scope:
    given = {name: plain.get(name) for name in DIMENSIONS}
    return Scope(**{name: None if v is None else frozenset(v) for name, v in given.items()})


def plain_grant(grant: Grant) -> dict[str, Any]:
    return {"role": grant.role.value, "scope": plain_scope(grant.scope)}


def grant_of(plain: Mapping[str, Any]) -> Grant:
    return Grant(Role(plain["role"]), scope_of(plain["scope"]))


def told(grant: dict[str, Any]) -> str:
    """warehouse (warehouses: BER, LYO)"""
    limits = [f"{name}: {', '.join(names)}" for name, names in grant["scope"].items()]
    return f"{grant['role']} ({'; '.join(limits)})" if limits else str(grant["role"])


def bad_scope(field: str, scope: Scope) -> Invalid | None:
    """Names that nothing has are taken: they may come, and tell nobody what there is."""
    for dimension in DIMENSIONS:
        names = getattr(scope, dimension)
        if names is None:
            continue
        if not 1 <= len(names) <= NAMES_LIMIT:
            return Invalid(f"{field}.{dimension}", f"must be null or 1 to {NAMES_LIMIT} names")
        for name in names:
            if bad := bad_text(f"{field}.{dimension}", name, NAME_LENGTH):
                return bad
    return None
