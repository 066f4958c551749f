"""Who may do what: callers with their grants, and the one table of permissions."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
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
    }
)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - {Permission.OWN},
    Role.OPERATIONS: OPERATIONS,
    Role.WAREHOUSE: READER | HANDLER | {Permission.DEDUCT, Permission.ADJUST},
    Role.PURCHASING: READER | {Permission.RECEIVE},
    Role.FINANCE: READER | {Permission.READ_TRAIL},
    Role.ANALYST: READER,
    Role.STOREFRONT: STOREFRONT,
    Role.CONNECTOR: READER | STOREFRONT | {Permission.DEDUCT, Permission.RETURN},
}
"""OWN does nothing by itself: nobody gives what they lack, so no admin makes an owner."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a grant is limited to. None: not at all; each dimension that is given must hold."""

    warehouses: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    channels: frozenset[str] | None = None


EVERYWHERE = Scope()
DIMENSIONS = tuple(field.name for field in fields(Scope))


@dataclass(frozen=True, slots=True)
class Grant:
    role: Role
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated person or machine. `subject` is stored with what it does; `person` is whose
    account that is, also behind a key. Callers with the same `sight` see the same."""

    subject: str
    grants: tuple[Grant, ...]
    person: UUID | None = None
    permissions: frozenset[Permission] = field(init=False, repr=False, compare=False)
    sight: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """A limited grant gives nothing: no use case looks at scopes, and so it must not be taken
        for a grant everywhere."""
        held = [grant for grant in self.grants if grant.scope == EVERYWHERE]
        may = frozenset[Permission]().union(*(PERMISSIONS[grant.role] for grant in held))
        object.__setattr__(self, "permissions", may)
        object.__setattr__(self, "sight", " ".join(sorted({grant.role for grant in held})))

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


def everywhere(subject: str, role: Role) -> Caller:
    """A caller with one role that is not limited."""
    return Caller(subject, (Grant(role),))
