"""The schema put together, and tuned for the road that every answer takes.

Strawberry declares the types; the values are those of services and domain, so which type shows a
value is a table lookup, and a field without a resolver is a plain attribute.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    default_field_resolver,
)
from strawberry.schema.config import StrawberryConfig

from schema import refusals
from schema.api_keys import ApiKeyMutations, ApiKeyQueries
from schema.approvals import ApprovalMutations, ApprovalQueries, ApprovalSubscriptions
from schema.catalogue import CatalogueMutations, CatalogueQueries
from schema.changes import StockSubscriptions
from schema.compiled.outcome import unless_known
from schema.context import Context
from schema.executor import ATTRIBUTE
from schema.explain import ExplainQueries
from schema.flash_sales import FlashSaleMutations, FlashSaleQueries, FlashSaleSubscriptions
from schema.ledger import LedgerQueries
from schema.me import MeQueries
from schema.ownership import OwnershipQueries
from schema.people import PeopleMutations, PeopleQueries
from schema.reservations import ReservationMutations, ReservationQueries
from schema.scalars import DATE_TIME
from schema.second_factor import SecondFactorMutations, SecondFactorQueries
from schema.sessions import SessionMutations
from schema.stock import StockMutations, StockQueries
from schema.tickets import TicketMutations, TicketQueries, TicketSubscriptions
from schema.trail import TrailQueries
from services.account import SignedOut
from services.api_keys import ApiKey, Issued
from services.approval_codes import Sent
from services.approvals import Approval
from services.flash_sale_rows import FlashSale
from services.levels import StockLevel
from services.people import User
from services.reservations import Reservation
from services.second_factor import Enrolment, RecoveryCodes, SecondFactor, TrustedDevice
from services.sessions import Session
from services.tickets import Ticket

NAMES: dict[type, str] = {
    ApiKey: "ApiKey",
    Approval: "Approval",
    Enrolment: "SecondFactorEnrolment",
    FlashSale: "FlashSale",
    Issued: "IssuedApiKey",
    RecoveryCodes: "RecoveryCodes",
    Reservation: "Reservation",
    SecondFactor: "SecondFactor",
    Sent: "ApprovalCodeSent",
    Session: "Session",
    SignedOut: "SignedOut",
    StockLevel: "StockLevel",
    Ticket: "Ticket",
    TrustedDevice: "TrustedDevice",
    User: "User",
    **refusals.NAMES,
}


@strawberry.type(description="What can be asked.")
class Query(
    StockQueries,
    CatalogueQueries,
    ReservationQueries,
    FlashSaleQueries,
    LedgerQueries,
    TicketQueries,
    OwnershipQueries,
    TrailQueries,
    ExplainQueries,
    PeopleQueries,
    ApiKeyQueries,
    SecondFactorQueries,
    MeQueries,
    ApprovalQueries,
):
    pass


@strawberry.type(description="What can be done.")
class Mutation(
    CatalogueMutations,
    ReservationMutations,
    FlashSaleMutations,
    StockMutations,
    TicketMutations,
    SessionMutations,
    PeopleMutations,
    ApiKeyMutations,
    SecondFactorMutations,
    ApprovalMutations,
):
    pass


@strawberry.type(description="What is shown live.")
class Subscription(
    StockSubscriptions, FlashSaleSubscriptions, TicketSubscriptions, ApprovalSubscriptions
):
    pass


@cache
def build() -> strawberry.Schema:
    """It holds nothing of a process or a request, so one is enough."""
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=refusals.TYPES,
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}),
    )
    tune(schema._schema)
    return schema


def tune(schema: GraphQLSchema) -> None:
    for graphql_type in schema.type_map.values():
        if graphql_type.name.startswith("__"):
            continue
        if isinstance(graphql_type, GraphQLUnionType | GraphQLInterfaceType):
            graphql_type.resolve_type = name_of
        if isinstance(graphql_type, GraphQLInputObjectType):
            leave_out_nulls(graphql_type.fields.values())
        if isinstance(graphql_type, GraphQLObjectType):
            graphql_type.is_type_of = None
            make_plain(graphql_type)
            for field in graphql_type.fields.values():
                leave_out_nulls(field.args.values())
    for root in (schema.query_type, schema.mutation_type):
        for field in root.fields.values() if root else ():
            field.resolve = unless_known(field.resolve or default_field_resolver)


def name_of(value: object, info: GraphQLResolveInfo[Context], _type: object) -> str:
    if type(value) in refusals.NAMES:
        info.context.refusals.append(value.code)  # type: ignore[attr-defined]
    return NAMES[type(value)]


def leave_out_nulls(inputs: Iterable[GraphQLArgument | GraphQLInputField]) -> None:
    """Python needs a default where GraphQL needs none: the schema says null only by leaving out."""
    for one in inputs:
        if one.default_value is None:
            one.default_value = Undefined


def make_plain(graphql_type: GraphQLObjectType) -> None:
    for field in graphql_type.fields.values():
        declared = field.extensions.get("strawberry-definition")
        if declared is not None and declared.is_basic_field:
            field.resolve = attribute(declared.python_name)
            field.extensions[ATTRIBUTE] = declared.python_name


def attribute(name: str) -> Callable[..., Any]:
    def resolve(source: object, _info: object) -> Any:
        return getattr(source, name)

    return resolve
