"""Signing in and out: the tokens of a session, and the password of the caller's own account."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.context import Info
from schema.parsing import Raw, command, uuid, uuid_or_none
from services import identity_acts as acts
from services.account import ChangePassword
from services.account import SignedOut as Ended
from services.sessions import Refresh, SignIn
from services.sessions import Session as Begun


@strawberry.type(description="What a person shows from now on, in place of the password.")
class Session:
    person: strawberry.ID = strawberry.field(name="personId", description="Whose session it is.")
    access_token: str = strawberry.field(
        description="Goes with every request: Authorization: Bearer <token>."
    )
    access_expires_at: datetime = strawberry.field(description="From then on it is not taken.")
    refresh_token: str = strawberry.field(
        description="For refreshSession, once. Using it a second time ends the session."
    )
    refresh_expires_at: datetime = strawberry.field(
        description="From then on the person signs in anew."
    )
    must_change_password: bool = strawberry.field(
        description="Somebody else set the password: until it is changed nothing else is allowed."
    )


@strawberry.type(description="Sessions were ended.")
class SignedOut:
    sessions: int = strawberry.field(description="How many, of those that were alive.")


SignInResult = Annotated[
    Session | no.InvalidCredentials | no.LockedOut | no.Invalid,
    strawberry.union("SignInResult", description="A session, or a refusal."),
]
SignOutResult = Annotated[
    SignedOut | no.InvalidCredentials | no.LockedOut | no.NotPermitted | no.Invalid,
    strawberry.union("SignOutResult", description="What was ended, or a refusal."),
]


def sign_in(raw: Raw) -> SignIn:
    return SignIn(raw["email"], raw["password"])


def refresh(raw: Raw) -> Refresh:
    return Refresh(uuid("id", raw["id"]), raw["refreshToken"])


def change_password(raw: Raw) -> ChangePassword:
    id = uuid_or_none("id", raw.get("id"))
    return ChangePassword(raw["currentPassword"], raw["newPassword"], raw.get("refreshToken"), id)


@command(sign_in)
@strawberry.input(description="Who signs in.")
class SignInInput:
    email: str = strawberry.field(description="The person's e-mail address.")
    password: str = strawberry.field(description="The password.")


@command(refresh)
@strawberry.input(description="The session to go on with.")
class RefreshSessionInput:
    id: strawberry.ID = strawberry.field(
        description="Made by the client (UUID): the same again within a minute, because an answer "
        "was lost, gets the same answer."
    )
    refresh_token: str = strawberry.field(description="The session's newest refresh token.")


@command(change_password)
@strawberry.input(description="A new password for the caller's own account.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="The one that is good now.")
    new_password: str = strawberry.field(
        description="At least 12 characters, and none of those that are tried first."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="Of the session that goes on; null: all end."
    )
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Made by the client (UUID): the last change again, because an answer was lost, "
        "gets the same answer.",
    )


@strawberry.type
class SessionMutations:
    @strawberry.mutation(
        graphql_type=SignInResult,
        description="Sign in with e-mail address and password. Needs no token.",
    )
    async def sign_in(
        self,
        info: Info,
        command: Annotated[
            SignIn | Invalid,
            strawberry.argument(name="input", graphql_type=SignInInput, description="Who."),
        ],
    ) -> Begun | Refusal:
        if isinstance(command, Invalid):
            return command
        return await acts.sign_in(info.context.rt, info.context.caller, command)

    @strawberry.mutation(
        graphql_type=SignInResult,
        description="Exchange the refresh token for the next one and a new access token. Needs no "
        "other token.",
    )
    async def refresh_session(
        self,
        info: Info,
        command: Annotated[
            Refresh | Invalid,
            strawberry.argument(
                name="input", graphql_type=RefreshSessionInput, description="The session."
            ),
        ],
    ) -> Begun | Refusal:
        if isinstance(command, Invalid):
            return command
        return await acts.refresh(info.context.rt, info.context.caller, command)

    @strawberry.mutation(
        graphql_type=SignOutResult,
        description="End a session of the caller. Its access token dies within seconds.",
    )
    async def sign_out(
        self,
        info: Info,
        refresh_token: Annotated[
            str, strawberry.argument(description="A refresh token of the session.")
        ],
    ) -> Ended | Refusal:
        return await acts.sign_out(info.context.rt, info.context.caller, refresh_token)

    @strawberry.mutation(
        graphql_type=SignOutResult, description="End all sessions of the caller, this one too."
    )
    async def sign_out_everywhere(self, info: Info) -> Ended | Refusal:
        return await acts.sign_out_everywhere(info.context.rt, info.context.caller)

    @strawberry.mutation(
        graphql_type=SignOutResult,
        description="Change the caller's own password, which ends the other sessions.",
    )
    async def change_password(
        self,
        info: Info,
        command: Annotated[
            ChangePassword | Invalid,
            strawberry.argument(
                name="input", graphql_type=ChangePasswordInput, description="The passwords."
            ),
        ],
    ) -> Ended | Refusal:
        if isinstance(command, Invalid):
            return command
        return await acts.change_password(info.context.rt, info.context.caller, command)
