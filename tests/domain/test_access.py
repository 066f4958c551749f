"""Who may do what, as a table that a shopkeeper can check."""

from dataclasses import FrozenInstanceError
from itertools import product

import pytest

from domain.access import (
    CHANNELLED,
    DIMENSIONS,
    PERMISSIONS,
    SCOPED,
    Caller,
    Grant,
    Permission,
    Role,
    Scope,
    everywhere,
)

BERLIN = Scope(warehouses=frozenset({"BER"}))
WEB = Scope(channels=frozenset({"web"}))
CELLS = [name for name in DIMENSIONS if name != "channels"]
"""The dimensions that a cell has."""
ROLES = "owner admin operations warehouse purchasing finance analyst storefront connector"
TABLE = """
    stock:read          x x x x x x x x x
    ledger:read         x x x x x x x - x
    reservation:write   x x x - - - - x x
    reservation:any     x x x x - - - - -
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
    approval:grant      x x x - - - - - -
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


@pytest.mark.parametrize(("dimension", "names"), [*product(CELLS, ({"a"}, set()))])
def test_a_limited_grant_gives_what_is_about_cells_within_its_scope(
    dimension: str, names: set[str]
) -> None:
    scope = Scope(**{dimension: frozenset(names)})
    limited = Grant(Role.OWNER, scope)
    alone = Caller("ann", (limited,))
    assert alone.permissions == frozenset()
    assert alone.scopes == dict.fromkeys(SCOPED, (scope,))
    for permission in Permission:
        assert not alone.may(permission)
        assert alone.may_somewhere(permission) == (permission in SCOPED)


def test_a_channel_gives_the_sight_of_stock_and_what_is_about_its_reservations() -> None:
    for scope in (WEB, Scope(warehouses=BERLIN.warehouses, channels=WEB.channels)):
        alone = Caller("ann", (Grant(Role.OWNER, scope),))
        assert alone.permissions == frozenset()
        assert alone.scopes == dict.fromkeys(CHANNELLED, (scope,))
    assert CHANNELLED < SCOPED
    clerk = Caller("ann", (Grant(Role.WAREHOUSE, WEB),))
    assert set(clerk.scopes) == CHANNELLED - {Permission.RESERVE}


def test_no_channel_at_all_gives_nothing() -> None:
    nowhere = Grant(Role.OWNER, Scope(channels=frozenset()))
    assert not Caller("ann", (nowhere,)).scopes


def test_a_channel_beside_a_place_takes_nothing_from_it() -> None:
    both = Caller("ann", (Grant(Role.WAREHOUSE, BERLIN), Grant(Role.CONNECTOR, WEB)))
    assert both.scopes[Permission.ADJUST] == (BERLIN,)
    assert both.scopes[Permission.RETURN] == (BERLIN,)
    assert both.scopes[Permission.DEDUCT] == (BERLIN, WEB)
    assert both.scopes[Permission.RESERVE] == (WEB,)


def test_what_is_held_everywhere_is_not_limited_by_another_grant() -> None:
    limited = Grant(Role.WAREHOUSE, BERLIN)
    both = Caller("ann", (limited, Grant(Role.ANALYST)))
    assert both.permissions == PERMISSIONS[Role.ANALYST]
    assert set(both.scopes) == PERMISSIONS[Role.WAREHOUSE] - PERMISSIONS[Role.ANALYST]
    assert both.may_somewhere(Permission.READ_STOCK)
    assert both.may_somewhere(Permission.ADJUST)


def test_several_limited_grants_are_held_side_by_side() -> None:
    tea = Scope(categories=frozenset({"tea"}))
    caller = Caller("ann", (Grant(Role.WAREHOUSE, BERLIN), Grant(Role.STOREFRONT, tea)))
    assert caller.scopes[Permission.READ_STOCK] == (BERLIN, tea)
    assert caller.scopes[Permission.ADJUST] == (BERLIN,)
    assert caller.scopes[Permission.RESERVE] == (tea,)


COVERED = """
    warehouses=BER,LYO                  x x x x
    warehouses=MUC                      x - x -
    regions=de                          x x x x
    regions=fr                          x - x -
    warehouses=BER regions=fr           x - x -
    categories=tea                      x x - x
    categories=cups                     - x - -
    warehouses=BER categories=tea       x x - x
    warehouses=MUC categories=tea       x - - -
    channels=web                        x x x x
    warehouses=MUC channels=web         x - x -
    warehouses=                         x - x -
"""


@pytest.mark.parametrize("line", COVERED.strip().split("\n"))
def test_a_scope_covers_where_each_of_its_dimensions_holds(line: str) -> None:
    """Tea; BER in de; goods without a category; tea in BER."""
    *given, tea, berlin, plain, both = line.split()
    names = (dimension.partition("=") for dimension in given)
    scope = Scope(**{name: frozenset(filter(None, n.split(","))) for name, _, n in names})
    covers_tea, covers_berlin = scope.covers_sku("tea"), scope.covers_warehouse("BER", "de")
    assert covers_tea == (tea == "x")
    assert covers_berlin == (berlin == "x")
    assert scope.covers_sku(None) == (plain == "x")
    assert (covers_tea and covers_berlin) == (both == "x")


def test_a_scope_covers_the_reservations_of_its_channels() -> None:
    """A reservation without a channel is of none."""
    for scope in (BERLIN, Scope()):
        assert all(scope.covers_channel(channel) for channel in ("web", "fair", None))
    assert [*map(WEB.covers_channel, ("web", "fair", None))] == [True, False, False]


def test_who_may_do_anything_with_stock_sees_that_stock() -> None:
    for role in Role:
        if PERMISSIONS[role] & SCOPED:
            assert Permission.READ_STOCK in PERMISSIONS[role], role


def test_callers_with_the_same_roles_see_the_same_and_others_do_not() -> None:
    here, there = (Grant(Role.ANALYST), Grant(Role.STOREFRONT)), Grant(Role.ANALYST)
    assert Caller("ann", here).sight == Caller("bob", here[::-1]).sight
    assert Caller("ann", here).sight != Caller("ann", (there,)).sight
    limited = Grant(Role.ANALYST, BERLIN)
    assert Caller("ann", (limited,)).sight == Caller("bob", (limited,)).sight
    assert Caller("ann", (limited,)).sight != Caller("ann", (there,)).sight
    elsewhere = Grant(Role.ANALYST, Scope(regions=BERLIN.warehouses))
    assert Caller("ann", (limited,)).sight != Caller("ann", (elsewhere,)).sight
    channel = Grant(Role.ANALYST, Scope(BERLIN.warehouses, channels=WEB.channels))
    assert Caller("ann", (limited,)).sight != Caller("ann", (channel,)).sight


def test_a_caller_does_not_change() -> None:
    caller = everywhere("ann", Role.STOREFRONT)
    assert not hasattr(caller, "__dict__")
    assert caller == everywhere("ann", Role.STOREFRONT)
    with pytest.raises(FrozenInstanceError):
        caller.grants = ()  # type: ignore[misc]
