"""What waits for a second person: shown, granted, rejected, watched."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain.access import Permission
from domain.refusals import Invalid, Refusal
from domain.states import ApprovalState as DomainState
from schema import refusals as no
from schema.context import Info
from schema.enums import ApprovalState
from schema.paging import PAGE_SIZE, After, Connection, First, connection
from schema.parsing import asked, attempt, uuid
from services import approvals, decisions
from services.approval_codes import Sent
from services.approvals import Approval as Request


@strawberry.type(description="What granting a request changes.")
class ApprovalChange:
    name: str = strawberry.field(description="What changes: a bucket, a field, the roles.")
    before: str | None = strawberry.field(description="As it was when it was asked for.")
    after: str | None = strawberry.field(description="As it will be.")


@strawberry.type(description="A sensitive act that waits, or waited, for a second person.")
class Approval:
    id: strawberry.ID = strawberry.field(description="That of the act itself.")
    act: str = strawberry.field(description="The name of the mutation.")
    state: ApprovalState = strawberry.field(description="How far it is.")
    target: str = strawberry.field(description="What it is done to.")
    sku: str | None = strawberry.field(description="Code of the SKU, if it is about stock.")
    warehouse: str | None = strawberry.field(description="Code of the warehouse, likewise.")
    changes: list[ApprovalChange] = strawberry.field(description="Exactly what will happen.")
    asked_by: str = strawberry.field(description="Who asked.")
    asked_at: datetime = strawberry.field(description="When.")
    expires_at: datetime = strawberry.field(description="From then on it cannot be granted.")
    decided_by: str | None = strawberry.field(description="Who granted or rejected it.")
    decided_at: datetime | None = strawberry.field(description="When.")
    outcome: str | None = strawberry.field(
        description="What came of it: DONE, or the code of the refusal."
    )


ApprovalResult = Annotated[
    Approval
    | no.NotPermitted
    | no.Invalid
    | no.NotFound
    | no.ApprovalClosed
    | no.LockedOut
    | no.InvalidCredentials,
    strawberry.union("ApprovalResult", description="The request after the decision, or a refusal."),
]


@strawberry.type(description="A code is on its way to the caller's own address.")
class ApprovalCodeSent:
    to: str = strawberry.field(description="The address, masked.")
    expires_at: datetime = strawberry.field(description="From then on the code is not taken.")


ApprovalCodeResult = Annotated[
    ApprovalCodeSent
    | no.NotPermitted
    | no.Invalid
    | no.NotFound
    | no.ApprovalClosed
    | no.LockedOut,
    strawberry.union("ApprovalCodeResult", description="Where the code went, or a refusal."),
]
ApprovalID = Annotated[
    strawberry.ID, strawberry.argument(description="The request, which has the act's id (UUID).")
]


@strawberry.type
class ApprovalQueries:
    @strawberry.field(
        graphql_type=Approval | None,
        description="A request; null if there is none that the caller asked for or may decide on.",
    )
    async def approval(self, info: Info, id: ApprovalID) -> Request | None:
        key: UUID = asked(uuid, "id", id)
        return await approvals.approval(info.context.rt, info.context.caller, key)

    @strawberry.field(
        graphql_type=Connection[Approval],
        description="The caller's own requests and those they may decide on, the newest first.",
    )
    async def approvals(
        self,
        info: Info,
        states: Annotated[
            list[ApprovalState] | None,
            strawberry.argument(description="Only in these states; null: all."),
        ] = None,
        first: First = 50,
        after: After = None,
    ) -> Connection[Request]:
        context = info.context
        wanted = None if states is None else tuple(DomainState[one.name] for one in states)
        size = PAGE_SIZE if first is None else first
        return connection(
            await approvals.approvals(context.rt, context.caller, wanted, size, after)
        )


@strawberry.type
class ApprovalMutations:
    @strawberry.mutation(
        graphql_type=ApprovalResult,
        description="Grant what somebody else asked for, with a code of one's own second factor: "
        "it is done at once, if what was shown is still so.",
    )
    async def grant_approval(
        self,
        info: Info,
        id: ApprovalID,
        code: Annotated[
            str,
            strawberry.argument(
                description="Six digits of the authenticator, a recovery code, or the mailed code."
            ),
        ],
    ) -> Request | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.APPROVE, key)
        return await decisions.grant(context.rt, context.caller, key, code)

    @strawberry.mutation(
        graphql_type=ApprovalCodeResult,
        description="Send the caller, who has no authenticator, a code by mail, with which they "
        "grant this request: one a minute, five an hour, each good for ten minutes.",
    )
    async def send_approval_code(self, info: Info, id: ApprovalID) -> Sent | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return context.refused(Permission.APPROVE, key)
        return await decisions.send_code(context.rt, context.caller, key)

    @strawberry.mutation(
        graphql_type=ApprovalResult,
        description="Reject what somebody else asked for, or take back what one asked for oneself.",
    )
    async def reject_approval(self, info: Info, id: ApprovalID) -> Request | Refusal:
        context = info.context
        key = attempt(uuid, "id", id)
        if isinstance(key, Invalid):
            return key
        return await decisions.reject(context.rt, context.caller, key)


@strawberry.type
class ApprovalSubscriptions:
    @strawberry.subscription(
        graphql_type=Approval,
        description="Each request that the caller asked for or may decide on, whenever it changes: "
        "within about a second.",
    )
    async def approvals_changed(self, info: Info) -> AsyncGenerator[Request, None]:
        async for request in approvals.changed(info.context.rt, info.context.caller):
            yield request
