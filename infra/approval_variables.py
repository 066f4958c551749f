"""The settings of what one person may not do alone."""

from domain.access import PERMISSIONS, Permission, Role
from domain.approvals import INVOLVED
from infra.variables import Variable, number

HIGHEST = 999_999_999
READING = frozenset({Permission.READ_STOCK, Permission.READ_LEDGER, Permission.READ_TRAIL})
WRITING = frozenset(role for role in Role if PERMISSIONS[role] - READING)
"""Roles that may change something."""


def named(two: frozenset[Role]) -> str:
    return ",".join(role for role in Role if role in two)


def roles(value: str) -> str:
    """Kept as text, that a child process may read it again."""
    names = [name.strip().lower() for name in value.split(",")]
    if names == ["-"]:
        return "-"
    if not set(names) <= set(Role):
        raise ValueError(f"roles out of {', '.join(Role)}, or -")
    return ",".join(names)


def roles_in(value: str) -> frozenset[Role]:
    return frozenset(Role(name) for name in value.split(",") if name != "-")


APPROVAL_VARIABLES = (
    Variable(
        "ONHAND_APPROVAL_UNITS",
        "approval_units",
        number(0, HIGHEST),
        "1000",
        "what takes away, corrects or writes off more units than this needs a second person",
    ),
    Variable(
        "ONHAND_APPROVAL_VALUE_CENTS",
        "approval_value_cents",
        number(0, HIGHEST),
        "500000",
        "the same for what is worth more than this, at the SKU's last price",
    ),
    Variable(
        "ONHAND_APPROVAL_SKUS",
        "approval_skus",
        number(0, HIGHEST),
        "50",
        "requests that take more SKUs than this out of sale need a second person",
    ),
    Variable(
        "ONHAND_APPROVAL_RECORDS",
        "approval_records",
        number(0, HIGHEST),
        "10000",
        "exports of more records than this need a second person",
    ),
    Variable(
        "ONHAND_APPROVAL_ROLES",
        "approval_roles",
        roles,
        named(INVOLVED),
        "roles given to people by two, separated by commas: all that ask or grant; - for none",
    ),
    Variable(
        "ONHAND_APPROVAL_MACHINE_ROLES",
        "approval_machine_roles",
        roles,
        named(WRITING),
        "the same for API keys: all roles that may change something",
    ),
)
