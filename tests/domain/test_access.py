"""Who may do what, as a table that a shopkeeper can check."""

from dataclasses import FrozenInstanceError

import pytest

from domain.access import PERMISSIONS, Caller, Permission, Role

TABLE = """
    stock:read         admin  operator  storefront
    ledger:read        admin  operator  -
    reservation:write  admin  operator  storefront
    reservation:any    admin  operator  -
    reservation:deduct admin  operator  -
    stock:receive      admin  operator  -
    stock:adjust       admin  operator  -
    stock:move         admin  operator  -
    stock:return       admin  operator  -
    sale:write         admin  operator  -
    ownership:read     admin  operator  -
    trail:read         admin  -         -
    catalogue:write    admin  -         -
"""
ROWS = [line.split() for line in TABLE.split("\n") if line]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_permission_is_given_to_these_roles(row: list[str]) -> None:
    permission, *roles = row
    for role in Role:
        assert Caller("ann", role).may(Permission(permission)) == (role in roles), role


def test_a_caller_does_not_change_its_role() -> None:
    caller = Caller("ann", Role.STOREFRONT)
    assert not hasattr(caller, "__dict__")
    with pytest.raises(FrozenInstanceError):
        caller.role = Role.ADMIN  # type: ignore[misc]


def test_every_permission_and_role_stands_in_the_table() -> None:
    assert [row[0] for row in ROWS] == list(Permission)
    assert set(PERMISSIONS) == set(Role)
