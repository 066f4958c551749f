"""Who may do what: callers with their grants, and the one table of permissions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    OPERATIONS = "operations"
    WAREHOUSE = "warehouse"
    PURCHASING = "purchasing"
    FINANCE = "finance"
    ANALYST = "analyst"
    STOREFRONT = "storefront"
    CONNECTOR = "connector"


class Permission(StrEnum):
    READ_STOCK = "stock:read"
    READ_LEDGER = "ledger:read"
    RESERVE = "reservation:write"
    ANY_RESERVATION = "reservation:any"
    DEDUCT = "reservation:deduct"
    RECEIVE = "stock:receive"
    ADJUST = "stock:adjust"
    MOVE = "stock:move"
    RETURN = "stock:return"
    SALES = "sale:write"
    READ_OWNERSHIP = "ownership:read"
    READ_TRAIL = "trail:read"
    CATALOGUE = "catalogue:write"
    READ_USERS = "users:read"
    WRITE_USERS = "users:write"
    READ_KEYS = "keys:read"
    WRITE_KEYS = "keys:write"
    APPROVE = "approval:grant"
    OWN = "shop:own"


READER = frozenset({Permission.READ_STOCK, Permission.READ_LEDGER})
STOREFRONT = frozenset({Permission.READ_STOCK, Permission.RESERVE})
HANDLER = frozenset({Permission.RECEIVE, Permission.MOVE, Permission.RETURN})
OPERATIONS = (
    READER
    | STOREFRONT
    | HANDLER
    | {
        Permission.ANY_RESERVATION,
        Permission.DEDUCT,
        Permission.ADJUST,
        Permission.READ_OWNERSHIP,
        Permission.SALES,
        Permission.APPROVE,
    }
)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - {Permission.OWN},
    Role.OPERATIONS: OPERATIONS,
    Role.WAREHOUSE: READER
    | HANDLER
    | {Permission.ANY_RESERVATION, Permission.DEDUCT, Permission.ADJUST},
    Role.PURCHASING: READER | {Permission.RECEIVE},
    Role.FINANCE: READER | {Permission.READ_TRAIL},
    Role.ANALYST: READER,
    Role.STOREFRONT: STOREFRONT,
    Role.CONNECTOR: READER | STOREFRONT | {Permission.DEDUCT, Permission.RETURN},
}
"""OWN does nothing by itself: nobody gives what they lack, so no admin makes an owner."""

SCOPED = frozenset(
    {
        Permission.READ_STOCK,
        Permission.READ_LEDGER,
        Permission.RESERVE,
        Permission.ANY_RESERVATION,
        Permission.DEDUCT,
        Permission.RECEIVE,
        Permission.ADJUST,
        Permission.MOVE,
        Permission.RETURN,
        Permission.APPROVE,
    }
)
"""Those about cells: they can be held for a part of the stock, all others everywhere or not at all.
Whoever holds one of these sees the stock that it is about."""

CHANNELLED = frozenset(
    {
        Permission.READ_STOCK,
        Permission.RESERVE,
        Permission.ANY_RESERVATION,
        Permission.DEDUCT,
    }
)
"""Of those, what a grant that is limited to channels holds: reservations of these channels, and the
sight of the stock, which all channels share. Goods have no channel, so whoever works on them works
for all; and the ledger tells of every channel's orders."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a grant is limited to. None: not at all; each dimension that is given must hold. A cell
    has no channel, a reservation has one or none."""

    warehouses: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    channels: frozenset[str] | None = None

    def covers_sku(self, category: str | None) -> bool:
        return holds(self.categories, category)

    def covers_warehouse(self, warehouse: str, region: str) -> bool:
        return holds(self.warehouses, warehouse) and holds(self.regions, region)

    def covers_channel(self, channel: str | None) -> bool:
        return holds(self.channels, channel)


def holds(names: frozenset[str] | None, name: str | None) -> bool:
    return names is None or name in names


def within(scope: Scope) -> frozenset[Permission]:
    """What a grant with this scope can hold of its role at most, if it is limited at all."""
    if scope.channels is None:
        return SCOPED
    return CHANNELLED if scope.channels else frozenset()


EVERYWHERE = Scope()
DIMENSIONS = tuple(field.name for field in fields(Scope))


@dataclass(frozen=True, slots=True)
class Grant:
    role: Role
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated person or machine. `subject` is stored with what it does; `person` is whose
    account that is, also behind a key. `permissions` are held everywhere, `scopes` are those of
    what is held for a part of the stock only. Callers with the same `sight` see the same."""

    subject: str
    grants: tuple[Grant, ...]
    person: UUID | None = None
    permissions: frozenset[Permission] = field(init=False, repr=False, compare=False)
    scopes: Mapping[Permission, tuple[Scope, ...]] = field(init=False, repr=False, compare=False)
    sight: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        whole = {grant.role for grant in self.grants if grant.scope == EVERYWHERE}
        may = frozenset[Permission]().union(*(PERMISSIONS[role] for role in whole))
        scopes: dict[Permission, tuple[Scope, ...]] = {}
        limited = [grant for grant in self.grants if grant.scope != EVERYWHERE]
        for grant in limited:
            for permission in (PERMISSIONS[grant.role] & within(grant.scope)) - may:
                scopes[permission] = (*scopes.get(permission, ()), grant.scope)
        sight = [*sorted(whole), *sorted(f"{grant.role}{named(grant.scope)}" for grant in limited)]
        object.__setattr__(self, "permissions", may)
        object.__setattr__(self, "scopes", MappingProxyType(scopes))
        object.__setattr__(self, "sight", " ".join(sight))

    def may(self, permission: Permission) -> bool:
        """Everywhere."""
        return permission in self.permissions

    def may_somewhere(self, permission: Permission) -> bool:
        return permission in self.permissions or permission in self.scopes


def named(scope: Scope) -> list[list[str] | None]:
    """The same for equal scopes."""
    dimensions = (getattr(scope, name) for name in DIMENSIONS)
    return [None if names is None else sorted(names) for names in dimensions]


def everywhere(subject: str, role: Role) -> Caller:
    """A caller with one role that is not limited."""
    return Caller(subject, (Grant(role),))
