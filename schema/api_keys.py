"""API keys: what machines show instead of a token."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from domain.access import Permission
from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.access_types import Grant, GrantInput, grant
from schema.context import Info
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.parsing import Raw, attempt, command, uuid
from services import api_keys
from services import people_acts as acts
from services import sensitive_accounts as sensitive
from services.api_keys import ApiKey as Key
from services.api_keys import CreateApiKey, Issued, RotateApiKey

ID = "Made by the client (UUID): sending the same again is safe."
DAY_SECONDS = 86_400


@strawberry.type(description="What a machine may do with a key; the key itself is not shown.")
class ApiKey:
    id: strawberry.ID = strawberry.field(
        description="The id the client made; what it does is stored under key:<id>."
    )
    name: str = strawberry.field(description="What people call it.")
    prefix: str = strawberry.field(description="The key begins with ohk_ and this.")
    grants: list[Grant] = strawberry.field(
        description="What it was given; it may no more than its maker at any time."
    )
    maker: str = strawberry.field(description="Whose account is behind it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="From then on it is not taken.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was used last, to the minute; null: never."
    )
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")
    previous_prefix: str | None = strawberry.field(
        description="Of the key as it was before its last rotation."
    )
    previous_until: datetime | None = strawberry.field(
        description="Until then that one is taken as well."
    )


@strawberry.type(description="A key that was made or rotated.")
class IssuedApiKey:
    api_key: ApiKey = strawberry.field(description="What is known of it.")
    secret: str | None = strawberry.field(
        description="The key itself: it is shown now and never again. Null where it was shown "
        "before: if that answer was lost, rotate the key."
    )


IssuedApiKeyResult = Annotated[
    IssuedApiKey
    | no.NotFound
    | no.Conflict
    | no.NotPermitted
    | no.Invalid
    | no.NeedsApproval
    | no.ApprovalClosed,
    strawberry.union("IssuedApiKeyResult", description="The key, or a refusal."),
]
ApiKeyResult = Annotated[
    ApiKey | no.NotFound | no.Conflict | no.NotPermitted | no.Invalid,
    strawberry.union("ApiKeyResult", description="What is known of the key, or a refusal."),
]


def create_api_key(raw: Raw) -> CreateApiKey:
    grants = tuple(grant(one) for one in raw["grants"])
    return CreateApiKey(uuid("id", raw["id"]), raw["name"], grants, raw.get("expiresAt"))


def rotate_api_key(raw: Raw) -> RotateApiKey:
    overlap = timedelta(seconds=raw["overlapSeconds"])
    return RotateApiKey(uuid("id", raw["id"]), uuid("keyId", raw["keyId"]), overlap)


@command(create_api_key)
@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    id: strawberry.ID = strawberry.field(description=ID)
    name: str = strawberry.field(description="What people call it.")
    grants: list[GrantInput] = strawberry.field(
        description="What it may do, 1 to 20 roles: not more than the caller."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="From then on it is not taken; null: until it is revoked."
    )


@command(rotate_api_key)
@strawberry.input(description="A key to rotate.")
class RotateApiKeyInput:
    id: strawberry.ID = strawberry.field(description=ID)
    key_id: strawberry.ID = strawberry.field(description="The key (UUID).")
    overlap_seconds: int = strawberry.field(
        default=DAY_SECONDS,
        description="So long the key as it was is taken as well, 0 to 2592000.",
    )


@strawberry.type
class ApiKeyQueries:
    @strawberry.field(
        graphql_type=Connection[ApiKey],
        description="The API keys, the newest first, revoked ones too, page by page.",
    )
    async def api_keys(self, info: Info, first: First = 50, after: After = None) -> Connection[Key]:
        size = PAGE_SIZE if first is None else first
        context = info.context
        return connection(await api_keys.api_keys(context.rt, context.caller, size, after))


@strawberry.type
class ApiKeyMutations:
    @strawberry.mutation(
        graphql_type=IssuedApiKeyResult, description="Make a key. It is shown in this answer only."
    )
    async def create_api_key(
        self,
        info: Info,
        command: Annotated[
            CreateApiKey | Invalid,
            strawberry.argument(
                name="input", graphql_type=CreateApiKeyInput, description="The key."
            ),
        ],
    ) -> Issued | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.WRITE_KEYS, command)
        return await sensitive.create_key(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=IssuedApiKeyResult,
        description="Give a key a new secret; for a time the former one is taken as well.",
    )
    async def rotate_api_key(
        self,
        info: Info,
        command: Annotated[
            RotateApiKey | Invalid,
            strawberry.argument(
                name="input", graphql_type=RotateApiKeyInput, description="Which, and how."
            ),
        ],
    ) -> Issued | Refusal:
        context = info.context
        if isinstance(command, Invalid):
            return context.refused(Permission.WRITE_KEYS, command)
        return await acts.rotate_key(context.rt, context.caller, command)

    @strawberry.mutation(
        graphql_type=ApiKeyResult, description="Revoke a key: within seconds it is not taken."
    )
    async def revoke_api_key(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(name="id", description="The key (UUID).")],
    ) -> Key | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.WRITE_KEYS, key)
        return await acts.revoke_key(context.rt, context.caller, key)
