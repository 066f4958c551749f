"""Giving rights: never more than one has."""

from itertools import product

import pytest

from domain.access import EVERYWHERE, SCOPED, Caller, Grant, Permission, Role, Scope
from domain.granting import covered, covers, is_owner, is_within

BERLIN = Scope(warehouses=frozenset({"BER"}))
BOTH = Scope(warehouses=frozenset({"BER", "ROM"}))
BERLIN_TEA = Scope(warehouses=frozenset({"BER"}), categories=frozenset({"tea"}))
NOTHING = Scope(warehouses=frozenset())
WEB = Scope(channels=frozenset({"web"}))
WEB_AND_FAIR = Scope(channels=frozenset({"web", "fair"}))
BERLIN_WEB = Scope(warehouses=frozenset({"BER"}), channels=frozenset({"web"}))
OWNER = Grant(Role.OWNER, EVERYWHERE)


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (EVERYWHERE, EVERYWHERE),
        (BERLIN, EVERYWHERE),
        (BERLIN, BOTH),
        (BERLIN_TEA, BERLIN),
        (NOTHING, BERLIN),
        (WEB, WEB_AND_FAIR),
        (BERLIN_WEB, WEB),
        (BERLIN_WEB, BERLIN),
    ],
)
def test_a_narrower_scope_lies_in_a_wider_one(inner: Scope, outer: Scope) -> None:
    assert is_within(inner, outer)
    assert inner == outer or not is_within(outer, inner)


def test_scopes_that_only_meet_do_not_lie_in_each_other() -> None:
    west = Scope(regions=frozenset({"WEST"}))
    assert not is_within(BERLIN, west)
    assert not is_within(west, BERLIN)
    assert not is_within(WEB, BERLIN)
    assert not is_within(BERLIN, WEB)


@pytest.mark.parametrize("role", Role)
def test_an_owner_may_give_every_role_everywhere(role: Role) -> None:
    assert covers([OWNER], Grant(role, EVERYWHERE))


@pytest.mark.parametrize("role", Role)
def test_who_has_a_role_may_give_it_as_widely_and_no_wider(role: Role) -> None:
    held = [Grant(role, BERLIN)]
    assert covers(held, Grant(role, BERLIN))
    assert covers(held, Grant(role, BERLIN_TEA))
    assert not covers(held, Grant(role, BOTH))
    assert not covers(held, Grant(role, EVERYWHERE))


def test_an_admin_makes_no_owner() -> None:
    assert covers([Grant(Role.ADMIN)], Grant(Role.ADMIN))
    assert not covers([Grant(Role.ADMIN)], OWNER)


def test_nobody_gives_a_role_that_may_more_than_theirs() -> None:
    analyst = Grant(Role.ANALYST, EVERYWHERE)
    assert not covers([analyst], OWNER)
    assert not covers([analyst], Grant(Role.ADMIN, BERLIN))
    assert not covers([], analyst)


def test_what_goes_beyond_is_left_out() -> None:
    held = [Grant(Role.WAREHOUSE, BOTH)]
    wanted = [Grant(Role.WAREHOUSE, BERLIN), Grant(Role.WAREHOUSE, EVERYWHERE), OWNER]
    assert covered(held, wanted) == (Grant(Role.WAREHOUSE, BERLIN),)


def test_an_owner_of_a_part_does_not_own_the_shop() -> None:
    assert is_owner([OWNER])
    assert not is_owner([Grant(Role.OWNER, BERLIN), Grant(Role.ADMIN, EVERYWHERE)])


SCOPES = (EVERYWHERE, BERLIN, BOTH, WEB, WEB_AND_FAIR, BERLIN_WEB, NOTHING)
ORDERS = [*product(("BER", "ROM"), ("web", "fair", None))]
"""Where an order's goods are, and its channel."""


def reach(grant: Grant) -> set[tuple[Permission, str, str | None]]:
    """With which orders of the small world a caller with this grant may do what."""
    caller = Caller("ann", (grant,))
    return {
        (permission, place, channel)
        for permission, (place, channel) in product(SCOPED, ORDERS)
        for scope in caller.scopes.get(permission, (EVERYWHERE,))
        if caller.may_somewhere(permission)
        and scope.covers_warehouse(place, "de")
        and scope.covers_channel(channel)
    }


@pytest.mark.parametrize("role", Role)
def test_who_may_give_it_reaches_whatever_it_reaches(role: Role) -> None:
    """Each role within each scope, given by each role within each scope."""
    given = [Grant(role, scope) for scope in SCOPES]
    held = [Grant(other, scope) for other, scope in product(Role, SCOPES)]
    pairs = [(a, b) for a, b in product(held, given) if covers([a], b)]
    assert len(pairs) >= len(given)
    assert [pair for pair in pairs if not reach(pair[0]) >= reach(pair[1])] == []
