"""Who may do what: callers, roles and the one table of permissions."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    ADMIN = "admin"
    OPERATOR = "operator"
    STOREFRONT = "storefront"


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


STOREFRONT = frozenset({Permission.READ_STOCK, Permission.RESERVE})
OPERATOR = STOREFRONT | {
    Permission.READ_LEDGER,
    Permission.ANY_RESERVATION,
    Permission.DEDUCT,
    Permission.RECEIVE,
    Permission.ADJUST,
    Permission.MOVE,
    Permission.RETURN,
    Permission.READ_OWNERSHIP,
    Permission.SALES,
}
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.STOREFRONT: STOREFRONT,
    Role.OPERATOR: OPERATOR,
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated person or machine. `subject` is stored with what it does; `person` is whose
    account that is, also behind a key."""

    subject: str
    role: Role
    person: UUID | None = None

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.role]
