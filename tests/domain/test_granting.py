"""Giving rights: never more than one has."""

import pytest

from domain.access import EVERYWHERE, Grant, Role, Scope
from domain.granting import covered, covers, is_owner, is_within

BERLIN = Scope(warehouses=frozenset({"BER"}))
BOTH = Scope(warehouses=frozenset({"BER", "ROM"}))
BERLIN_TEA = Scope(warehouses=frozenset({"BER"}), categories=frozenset({"tea"}))
NOTHING = Scope(warehouses=frozenset())
OWNER = Grant(Role.OWNER, EVERYWHERE)


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (EVERYWHERE, EVERYWHERE),
        (BERLIN, EVERYWHERE),
        (BERLIN, BOTH),
        (BERLIN_TEA, BERLIN),
        (NOTHING, BERLIN),
    ],
)
def test_a_narrower_scope_lies_in_a_wider_one(inner: Scope, outer: Scope) -> None:
    assert is_within(inner, outer)
    assert inner == outer or not is_within(outer, inner)


def test_scopes_that_only_meet_do_not_lie_in_each_other() -> None:
    west = Scope(regions=frozenset({"WEST"}))
    assert not is_within(BERLIN, west)
    assert not is_within(west, BERLIN)


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
