"""People with accounts, and the roles they have."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.access import Permission
from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.access_types import Grant, GrantInput, grant
from schema.context import Info
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.parsing import Raw, attempt, command, uuid, uuid_or_none
from services import people
from services import people_acts as acts
from services import sensitive_accounts as sensitive
from services.granting import GrantRole
from services.people import CreateUser
from services.people import User as Account

ID = "Made by the client (UUID): sending the same again is safe."


@strawberry.type(description="A role that somebody has now.")
class UserGrant:
    id: strawberry.ID = strawberry.field(description="For revokeRole.")
    grant: Grant = strawberry.field(description="The role and where.")
    granted_by: str = strawberry.field(description="Who gave it.")
    granted_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="Somebody with an account.")
class User:
    id: strawberry.ID = strawberry.field(description="The id the client made.")
    email: str = strawberry.field(description="The e-mail address: it names what the person does.")
    name: str = strawberry.field(description="What others call the person.")
    is_active: bool = strawberry.field(description="Whether the person may sign in.")
    has_password: bool = strawberry.field(
        description="Whether there is a password; if not, by OpenID Connect only."
    )
    must_change_password: bool = strawberry.field(
        description="Somebody else set the password: until it is changed nothing else is allowed."
    )
    created_by: str = strawberry.field(description="Who made the account.")
    created_at: datetime = strawberry.field(description="When.")
    grants: list[UserGrant] = strawberry.field(description="The roles, the oldest first.")


UserResult = Annotated[
    User
    | no.NotFound
    | no.Conflict
    | no.NotPermitted
    | no.Invalid
    | no.NeedsApproval
    | no.ApprovalClosed,
    strawberry.union("UserResult", description="The account after the change, or a refusal."),
]
RequestID = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="The request's own id (UUID): needed where a second person has to grant it, "
        "because the account may ask for or grant sensitive acts."
    ),
]
UserID = Annotated[strawberry.ID, strawberry.argument(description="The account (UUID).")]


def create_user(raw: Raw) -> CreateUser:
    return CreateUser(uuid("id", raw["id"]), raw["email"], raw["name"], raw.get("password"))


def grant_role(raw: Raw) -> GrantRole:
    return GrantRole(uuid("id", raw["id"]), uuid("userId", raw["userId"]), grant(raw))


@command(create_user)
@strawberry.input(description="Somebody to make an account for.")
class CreateUserInput:
    id: strawberry.ID = strawberry.field(description=ID)
    email: str = strawberry.field(description="The e-mail address.")
    name: str = strawberry.field(description="What others call the person.")
    password: str | None = strawberry.field(
        default=None,
        description="For the first sign-in, which has to change it; null: by OpenID Connect only.",
    )


@command(grant_role)
@strawberry.input(description="A role to give to somebody.")
class GrantRoleInput(GrantInput):
    id: strawberry.ID = strawberry.field(description=ID)
    user_id: strawberry.ID = strawberry.field(description="The account (UUID).")


@strawberry.type
class PeopleQueries:
    @strawberry.field(
        graphql_type=Connection[User],
        description="The people with accounts, the newest first, page by page.",
    )
    async def users(
        self, info: Info, first: First = 50, after: After = None
    ) -> Connection[Account]:
        size = PAGE_SIZE if first is None else first
        return connection(await people.users(info.context.rt, info.context.caller, size, after))


@strawberry.type
class PeopleMutations:
    @strawberry.mutation(graphql_type=UserResult, description="Make an account for somebody.")
    async def create_user(
        self,
        info: Info,
        command: Annotated[
            CreateUser | Invalid,
            strawberry.argument(name="input", graphql_type=CreateUserInput, description="Who."),
        ],
    ) -> Account | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.WRITE_USERS, command)
        return await acts.create_user(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=UserResult,
        description="Close an account, which ends its sessions and stops its keys, or open it "
        "again. The last owner stays.",
    )
    async def set_user_active(
        self,
        info: Info,
        user_id: UserID,
        is_active: Annotated[bool, strawberry.argument(description="Whether it is open.")],
        id: RequestID = None,
    ) -> Account | Refusal:
        context = info.context
        key, request = attempt(uuid, "userId", user_id), attempt(uuid_or_none, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.WRITE_USERS, key)
        if isinstance(request, Invalid):
            return context.refused(Permission.WRITE_USERS, request)
        return await sensitive.set_active(context.rt, context.caller, key, is_active, request)

    @strawberry.mutation(
        graphql_type=UserResult,
        description="Set a password for somebody else, who has to change it. Ends their sessions.",
    )
    async def set_user_password(
        self,
        info: Info,
        user_id: UserID,
        password: Annotated[str, strawberry.argument(description="For the next sign-in.")],
        id: RequestID = None,
    ) -> Account | Refusal:
        context = info.context
        key, request = attempt(uuid, "userId", user_id), attempt(uuid_or_none, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.WRITE_USERS, key)
        if isinstance(request, Invalid):
            return context.refused(Permission.WRITE_USERS, request)
        return await sensitive.set_password(context.rt, context.caller, key, password, request)

    @strawberry.mutation(
        graphql_type=UserResult,
        description="Give somebody a role within a scope: not more than the caller has.",
    )
    async def grant_role(
        self,
        info: Info,
        command: Annotated[
            GrantRole | Invalid,
            strawberry.argument(
                name="input", graphql_type=GrantRoleInput, description="Who gets what."
            ),
        ],
    ) -> Account | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.WRITE_USERS, command)
        return await sensitive.grant_role(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=UserResult, description="Take a role away. The last owner stays."
    )
    async def revoke_role(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The grant (UUID).")
        ],
        request_id: RequestID = None,
    ) -> Account | Refusal:
        context = info.context
        key, request = attempt(uuid, "id", id), attempt(uuid_or_none, "requestId", request_id)
        if isinstance(key, Invalid):
            return context.refused(Permission.WRITE_USERS, key)
        if isinstance(request, Invalid):
            return context.refused(Permission.WRITE_USERS, request)
        return await sensitive.revoke_role(context.rt, context.caller, key, request)
