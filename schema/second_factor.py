"""The caller's second factor: an authenticator's codes, recovery codes, a trusted device."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.refusals import Invalid, Refusal
from schema import refusals as no
from schema.context import Info, allowed
from schema.parsing import attempt, uuid_or_none
from services import identity_acts as acts
from services import second_factor
from services import sensitive_accounts as sensitive
from services.second_factor import Enrolment as Enrolled
from services.second_factor import RecoveryCodes as Codes
from services.second_factor import SecondFactor as Factor
from services.second_factor import TrustedDevice as Device


@strawberry.type(description="What an authenticator is told. It waits 15 minutes for a code.")
class SecondFactorEnrolment:
    secret: str = strawberry.field(description="The secret in base32, to be typed in.")
    uri: str = strawberry.field(description="The same as an otpauth URI, for a QR code.")


@strawberry.type(description="For the day the authenticator is lost. Shown once.")
class RecoveryCodes:
    codes: list[str] = strawberry.field(description="Each stands for a code, once.")


@strawberry.type(description="The second factor of the caller's account.")
class SecondFactor:
    is_on: bool = strawberry.field(description="Whether there is one.")
    since: datetime | None = strawberry.field(description="Since when.")
    recovery_codes_left: int = strawberry.field(description="How many were not used yet.")


@strawberry.type(description="A device that needs no code for 12 hours.")
class TrustedDevice:
    token: str = strawberry.field(description="For the device to keep and show.")
    expires_at: datetime = strawberry.field(description="From then on it is not taken.")


EnrolmentResult = Annotated[
    SecondFactorEnrolment | no.InvalidCredentials | no.LockedOut | no.NotPermitted | no.Invalid,
    strawberry.union("EnrolmentResult", description="What an authenticator needs, or a refusal."),
]
SecondFactorResult = Annotated[
    SecondFactor
    | no.InvalidCredentials
    | no.LockedOut
    | no.NotPermitted
    | no.NotFound
    | no.Conflict
    | no.Invalid
    | no.NeedsApproval
    | no.ApprovalClosed,
    strawberry.union("SecondFactorResult", description="The second factor now, or a refusal."),
]
RecoveryCodesResult = Annotated[
    RecoveryCodes | no.InvalidCredentials | no.LockedOut | no.NotPermitted | no.NotFound,
    strawberry.union("RecoveryCodesResult", description="New recovery codes, or a refusal."),
]
TrustedDeviceResult = Annotated[
    TrustedDevice | no.InvalidCredentials | no.LockedOut | no.NotPermitted | no.NotFound,
    strawberry.union("TrustedDeviceResult", description="The device's token, or a refusal."),
]
Code = Annotated[
    str,
    strawberry.argument(description="Six digits of the authenticator, or a recovery code."),
]


@strawberry.type
class SecondFactorQueries:
    @strawberry.field(
        graphql_type=SecondFactor, description="Whether the caller's account has a second factor."
    )
    async def second_factor(self, info: Info) -> Factor:
        return allowed(await second_factor.second_factor(info.context.caller))


@strawberry.type
class SecondFactorMutations:
    @strawberry.mutation(
        graphql_type=EnrolmentResult,
        description="Begin a second factor for the caller's own account. Asked again before "
        "confirmSecondFactor, the same secret is shown.",
    )
    async def enrol_second_factor(
        self,
        info: Info,
        password: Annotated[
            str | None, strawberry.argument(description="Of the account, if it has one.")
        ] = None,
    ) -> Enrolled | Refusal:
        return await acts.enrol(info.context.rt, info.context.caller, password)

    @strawberry.mutation(
        graphql_type=RecoveryCodesResult,
        description="The authenticator's first code turns the second factor on. If the answer is "
        "lost, renewRecoveryCodes gives others.",
    )
    async def confirm_second_factor(self, info: Info, code: Code) -> Codes | Refusal:
        return await acts.confirm_factor(info.context.rt, info.context.caller, code)

    @strawberry.mutation(
        graphql_type=SecondFactorResult,
        description="Take the second factor off, and with it the trust in all devices. Of whoever "
        "may grant other people's requests, when somebody else has granted it.",
    )
    async def remove_second_factor(
        self,
        info: Info,
        code: Code,
        id: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The request's own id (UUID), where somebody else has to grant it. "
                "Asked again with it, no new code is needed."
            ),
        ] = None,
    ) -> Factor | Refusal:
        key = attempt(uuid_or_none, "id", id)
        if isinstance(key, Invalid):
            return key
        return await sensitive.remove_factor(info.context.rt, info.context.caller, code, key)

    @strawberry.mutation(
        graphql_type=RecoveryCodesResult,
        description="New recovery codes; those there were are good for nothing any more.",
    )
    async def renew_recovery_codes(self, info: Info, code: Code) -> Codes | Refusal:
        return await acts.renew_codes(info.context.rt, info.context.caller, code)

    @strawberry.mutation(
        graphql_type=TrustedDeviceResult,
        description="Trust this device for 12 hours: its token stands for a code.",
    )
    async def trust_device(self, info: Info, code: Code) -> Device | Refusal:
        return await acts.trust_device(info.context.rt, info.context.caller, code)
