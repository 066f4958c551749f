"""Who asks, and what that caller may do: so that a screen shows only what works."""

import strawberry

from domain.access import Caller, Permission
from schema.access_types import Grant, Scope
from schema.context import Info


@strawberry.type(description="Something that the caller may do.")
class HeldPermission:
    name: str = strawberry.field(description="As NotPermitted names it.")
    scopes: list[Scope] | None = strawberry.field(
        description="Where: within any of these; null: everywhere."
    )


@strawberry.type(description="Who asks.")
class Me:
    @strawberry.field(description="The name that stands behind what the caller does.")
    def subject(self, root: strawberry.Parent[Caller]) -> str:
        return root.subject

    @strawberry.field(description="The account (UUID), also behind a key; null: there is none.")
    def user_id(self, root: strawberry.Parent[Caller]) -> strawberry.ID | None:
        return None if root.person is None else strawberry.ID(str(root.person))

    @strawberry.field(graphql_type=list[Grant], description="The roles, and where.")
    def grants(self, root: strawberry.Parent[Caller]) -> object:
        return root.grants

    @strawberry.field(description="What comes of the roles, by name.")
    def permissions(self, root: strawberry.Parent[Caller]) -> list[HeldPermission]:
        held = sorted(filter(root.may_somewhere, Permission))
        return [HeldPermission(name=p.value, scopes=scopes_of(root, p)) for p in held]


def scopes_of(caller: Caller, permission: Permission) -> list[Scope] | None:
    found: list[Scope] | None = caller.scopes.get(permission)  # type: ignore[assignment]
    return found


@strawberry.type
class MeQueries:
    @strawberry.field(graphql_type=Me, description="Who asks, and what they may do.")
    async def me(self, info: Info) -> Caller:
        return info.context.caller
