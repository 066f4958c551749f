"""Who may do what, as a table that a shopkeeper can check."""

from dataclasses import FrozenInstanceError
from itertools import product

import pytest

from domain.access import (
    DIMENSIONS,
    PERMISSIONS,
    Caller,
    Grant,
    Permission,
    Role,
    Scope,
    everywhere,
)

ROLES = "owner admin operations warehouse purchasing finance analyst storefront connector"
TABLE = """
    stock:read          x x x x x x x x x
    ledger:read         x x x x x x x - x
    reservation:write   x x x - - - - x x
    reservation:any     x x x - - - - - -
    reservation:deduct  x x x x - - - - x
    stock:receive       x x x x x - - - -
    stock:adjust        x x x x - - - - -
    stock:move          x x x x - - - - -
    stock:return        x x x x - - - - x
    sale:write          x x x - - - - - -
    ownership:read      x x x - - - - - -
    trail:read          x x - - - x - - -
    catalogue:write     x x - - - - - - -
    users:read          x x - - - - - - -
    users:write         x x - - - - - - -
    keys:read           x x - - - - - - -
    keys:write          x x - - - - - - -
    shop:own            x - - - - - - - -
"""
ROWS = [line.split() for line in TABLE.split("\n") if line.strip()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_permission_is_given_to_these_roles(row: list[str]) -> None:
    permission, *marks = row
    for role, mark in zip(Role, marks, strict=True):
        assert everywhere("ann", role).may(Permission(permission)) == (mark == "x"), role


def test_every_permission_and_role_stands_in_the_table() -> None:
    assert [row[0] for row in ROWS] == list(Permission)
    assert set(PERMISSIONS) == set(Role)
    assert ROLES.split() == list(Role)


def test_a_caller_may_what_any_of_its_roles_may() -> None:
    caller = Caller("ann", (Grant(Role.FINANCE), Grant(Role.STOREFRONT)))
    assert caller.permissions == PERMISSIONS[Role.FINANCE] | PERMISSIONS[Role.STOREFRONT]
    assert Caller("stranger", ()).permissions == frozenset()


@pytest.mark.parametrize(("dimension", "names"), [*product(DIMENSIONS, ({"a"}, set()))])
def test_a_limited_grant_gives_nothing(dimension: str, names: set[str]) -> None:
    limited = Grant(Role.OWNER, Scope(**{dimension: frozenset(names)}))
    assert Caller("ann", (limited,)).permissions == frozenset()
    both = Caller("ann", (limited, Grant(Role.ANALYST)))
    assert both.permissions == PERMISSIONS[Role.ANALYST]
    assert both.sight == everywhere("bob", Role.ANALYST).sight


def test_callers_with_the_same_roles_see_the_same_and_others_do_not() -> None:
    here, there = (Grant(Role.ANALYST), Grant(Role.STOREFRONT)), Grant(Role.ANALYST)
    assert Caller("ann", here).sight == Caller("bob", here[::-1]).sight
    assert Caller("ann", here).sight != Caller("ann", (there,)).sight


def test_a_caller_does_not_change() -> None:
    caller = everywhere("ann", Role.STOREFRONT)
    assert not hasattr(caller, "__dict__")
    assert caller == everywhere("ann", Role.STOREFRONT)
    with pytest.raises(FrozenInstanceError):
        caller.grants = ()  # type: ignore[misc]
