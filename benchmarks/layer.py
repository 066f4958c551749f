"""The GraphQL layer alone: CPU from the bytes of `reserveStock` to the bytes of its answer, with a
service that does nothing. Three roads in turns: our plans, graphql-core as we call it, and plain
Strawberry with its caches of parsed and validated documents, written as its documentation does."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import process_time
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
import strawberry
import uvloop
from graphql import GraphQLSchema
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from api.operations import Sent
from benchmarks.figures import Floor, Row, Section, at_most
from benchmarks.load import Spread, spread
from benchmarks.shop import RESERVE, reservation
from domain.access import Role, everywhere
from domain.states import ReservationState
from schema import refusals
from schema import reservations as shown
from schema.build import Mutation as Built
from schema.build import Query, tune
from schema.context import Info
from schema.documents import Prepared
from schema.engine import Asker, Engine, Operation
from schema.enums import ReservationState as Shown
from schema.scalars import DATE_TIME
from services.reservations import Reservation, ReservationLine, ReserveStock
from services.runtime import Runtime

PLAN, CORE, STRAWBERRY = "plan", "graphql-core", "Strawberry with its caches"
OPERATIONS = 1_000
"""In one reading."""
BODY = json.dumps({"query": RESERVE, "variables": {"input": reservation()}}).encode()
DECODER = msgspec.json.Decoder(Sent)
ASKER = Asker(everywhere("bench", Role.ADMIN), "bench")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
CONFIG = StrawberryConfig(scalar_map={datetime: DATE_TIME})
Road = Callable[[], Awaitable[bytes]]


def answer() -> Reservation:
    line = ReservationLine("HOT-1", "MAIN", 1, 0, 4_711, 899_995_289)
    state = ReservationState.HELD
    return Reservation(UUID(int=7), state, (line,), "customer-4711", "web", None, NOON, NOON)


@strawberry.type
class Mutation(Built):
    @strawberry.mutation(graphql_type=shown.ReserveStockResult)
    async def reserve_stock(
        self,
        info: Info,
        command: Annotated[
            ReserveStock,
            strawberry.argument(name="input", graphql_type=shown.ReserveStockInput),
        ],
    ) -> Reservation:
        return answer()


@strawberry.input
class ReserveStockInput:
    """As ours, and left to Strawberry to make."""

    id: strawberry.ID
    lines: list[shown.ReserveLine]
    ttl_seconds: int | None = 600
    customer: str | None = None
    channel: str | None = None


@strawberry.type
class PlainMutation:
    @strawberry.mutation(graphql_type=shown.ReserveStockResult)
    async def reserve_stock(self, input: ReserveStockInput) -> shown.Reservation:
        held = answer()
        line = shown.ReservationLine(
            sku="HOT-1",
            warehouse="MAIN",
            quantity=1,
            deducted=0,
            seq=4_711,
            available_after=899_995_289,
        )
        return shown.Reservation(
            id=strawberry.ID(str(held.id)),
            state=Shown.HELD,
            lines=[line],
            customer=held.customer,
            channel=held.channel,
            sale_id=None,
            created_at=held.created_at,
            expires_at=held.expires_at,
        )


def tuned() -> GraphQLSchema:
    schema = strawberry.Schema(Query, Mutation, types=refusals.TYPES, config=CONFIG)._schema
    tune(schema)
    return schema


def by_engine(is_planned: bool) -> Road:
    engine = Engine(cast(Runtime, None), tuned())

    async def road() -> bytes:
        sent = DECODER.decode(BODY)
        operation = Operation(sent.query or "", sent.variables, sent.name)
        prepared = engine.prepare(operation)
        assert isinstance(prepared, Prepared)
        if not is_planned:
            prepared = prepared._replace(plan=None)
        return (await engine.execute(ASKER, prepared, operation)).body

    return road


def by_strawberry() -> Road:
    caches: list[Any] = [ParserCache(maxsize=500), ValidationCache(maxsize=500)]
    schema = strawberry.Schema(
        Query, PlainMutation, types=refusals.TYPES, config=CONFIG, extensions=caches
    )

    async def road() -> bytes:
        sent = json.loads(BODY)
        result = await schema.execute(sent["query"], sent["variables"])
        assert not result.errors, result.errors
        return json.dumps({"data": result.data}).encode()

    return road


def run(rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU per operation, round by round."""
    roads = {PLAN: by_engine(True), CORE: by_engine(False), STRAWBERRY: by_strawberry()}
    return uvloop.run(measure(roads, rounds))


async def measure(roads: dict[str, Road], rounds: int) -> dict[str, list[float]]:
    said = {name: msgspec.json.decode(await road()) for name, road in roads.items()}
    assert all(one == said[CORE] for one in said.values()), said
    found: dict[str, list[float]] = {name: [] for name in roads}
    for _ in range(rounds):
        for name, road in roads.items():
            began = process_time()
            for _ in range(OPERATIONS):
                await road()
            found[name].append((process_time() - began) / OPERATIONS * 1e6)
    return found


def section(rounds: int, about: dict[str, str], say: Callable[[str], None]) -> Section:
    say("the GraphQL layer")
    found = run(rounds)
    spreads: dict[str, Spread] = {name: spread(values) for name, values in found.items()}
    rows = [Row(name, None, one, "µs of CPU") for name, one in spreads.items()]
    shares = [ours / theirs for ours, theirs in zip(found[PLAN], found[STRAWBERRY], strict=True)]
    floors: list[Floor] = [
        at_most("the plan, of Strawberry with its caches", 100 * spread(shares).median, 50, "%"),
        at_most("the plan", spreads[PLAN].median, 60, "µs of CPU"),
    ]
    remarks = [
        f"{rounds} rounds in turns, {OPERATIONS:,} operations each; from the bytes of the request"
        " to those of the answer, with a service that does nothing"
    ]
    return Section("The GraphQL layer", about, remarks, rows, floors)
