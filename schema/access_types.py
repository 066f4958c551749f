"""Roles and scopes as clients name them."""

import strawberry

from domain.access import Grant as DomainGrant
from domain.access import Role as DomainRole
from domain.access import Scope as DomainScope
from schema.enums import Role
from schema.parsing import Raw
from services.grants import scope_of

LIMITED = (
    "What a role is limited to. A dimension that is null is not limited; each that is given must "
    "hold. Where channels are given, the role sees stock, which all channels share, and does what "
    "it may with the reservations of these, and nothing else."
)
Names = list[str] | None


def in_order(names: frozenset[str] | None) -> Names:
    return None if names is None else sorted(names)


@strawberry.type(description=LIMITED)
class Scope:
    @strawberry.field(description="Codes of warehouses.")
    def warehouses(self, root: strawberry.Parent[DomainScope]) -> Names:
        return in_order(root.warehouses)

    @strawberry.field(description="Regions of warehouses.")
    def regions(self, root: strawberry.Parent[DomainScope]) -> Names:
        return in_order(root.regions)

    @strawberry.field(description="Categories of SKUs.")
    def categories(self, root: strawberry.Parent[DomainScope]) -> Names:
        return in_order(root.categories)

    @strawberry.field(description="Channels of reservations.")
    def channels(self, root: strawberry.Parent[DomainScope]) -> Names:
        return in_order(root.channels)


@strawberry.type(description="A role within a scope.")
class Grant:
    role: Role = strawberry.field(description="What one is.")
    scope: Scope = strawberry.field(description="Where.")


@strawberry.input(description=LIMITED)
class ScopeInput:
    warehouses: list[str] | None = strawberry.field(
        default=None, description="Codes of warehouses, 1 to 100."
    )
    regions: list[str] | None = strawberry.field(
        default=None, description="Regions of warehouses, 1 to 100."
    )
    categories: list[str] | None = strawberry.field(
        default=None, description="Categories of SKUs, 1 to 100."
    )
    channels: list[str] | None = strawberry.field(
        default=None, description="Channels of reservations, 1 to 100."
    )


@strawberry.input(description="A role within a scope.")
class GrantInput:
    role: Role = strawberry.field(description="What one is.")
    scope: ScopeInput | None = strawberry.field(
        default=None, description="Where; null: everywhere."
    )


def grant(raw: Raw) -> DomainGrant:
    return DomainGrant(DomainRole(raw["role"].value), scope_of(raw.get("scope") or {}))
