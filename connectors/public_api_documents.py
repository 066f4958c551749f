"""What is asked of the public GraphQL API, and the shape of each answer.

The documents never change, only their variables do, so a server parses each of them once. The
root field is called `answer` in all of them.
"""

from typing import Generic, NamedTuple, TypeVar

import msgspec

from domain.states import ReservationState
from services.door import Done, Holding, Refused

T = TypeVar("T")


class Outcome(msgspec.Struct):
    """A member of a result union: a refusal has a code, what was accepted has none."""

    code: str | None = None
    message: str = ""
    state: str | None = None
    sku: str | None = None

    def told(self) -> Done | Refused:
        state = None if self.state is None else ReservationState(self.state.lower())
        if self.code is None:
            return Done(state)
        return Refused(self.code, self.message, self.sku, state)


class RowOutcome(msgspec.Struct):
    refusal: Outcome | None = None

    def told(self) -> Refused | None:
        return (
            None if self.refusal is None else Refused(self.refusal.code or "", self.refusal.message)
        )


class HeldLine(msgspec.Struct):
    quantity: int


class Held(msgspec.Struct):
    state: str
    lines: list[HeldLine]

    def told(self) -> Holding:
        units = sum(line.quantity for line in self.lines)
        return Holding(ReservationState(self.state.lower()), units, len(self.lines))


class Code(msgspec.Struct):
    code: str


class Level(msgspec.Struct):
    sku: Code
    available: int


class LevelEdge(msgspec.Struct):
    node: Level


class LevelPage(msgspec.Struct):
    edges: list[LevelEdge]


class SkuEdge(msgspec.Struct):
    node: Code


class SkuPage(msgspec.Struct):
    edges: list[SkuEdge]


class Data(msgspec.Struct, Generic[T]):
    answer: T


class Envelope(msgspec.Struct, Generic[T]):
    data: Data[T]


class Operation(NamedTuple, Generic[T]):
    document: str
    decoder: msgspec.json.Decoder[Envelope[T]]


REFUSAL = "... on Refusal { code message }"
SHORT = "... on InsufficientStock { sku }"
OUTCOME = msgspec.json.Decoder(Envelope[Outcome])
ROWS = msgspec.json.Decoder(Envelope[list[RowOutcome]])

UPSERT_WAREHOUSES = Operation(
    "mutation upsertWarehouses($rows: [WarehouseRow!]!) "
    "{ answer: upsertWarehouses(rows: $rows) { refusal { code message } } }",
    ROWS,
)
UPSERT_SKUS = Operation(
    "mutation upsertSkus($rows: [SkuRow!]!) "
    "{ answer: upsertSkus(rows: $rows) { refusal { code message } } }",
    ROWS,
)
RECEIVE = Operation(
    "mutation receive($input: ReceiveStockInput!) "
    f"{{ answer: receiveStock(input: $input) {{ __typename {REFUSAL} }} }}",
    OUTCOME,
)
RESERVE = Operation(
    "mutation reserve($input: ReserveStockInput!) { answer: reserveStock(input: $input) "
    f"{{ ... on Reservation {{ state }} {REFUSAL} {SHORT} }} }}",
    OUTCOME,
)
CONFIRM = Operation(
    "mutation confirm($id: ID!) { answer: confirmReservation(id: $id) "
    f"{{ ... on Reservation {{ state }} ... on ReservationClosed {{ state }} {REFUSAL} }} }}",
    OUTCOME,
)
DEDUCT = Operation(
    "mutation deduct($input: DeductReservationInput!) { answer: deductReservation(input: $input) "
    f"{{ ... on Reservation {{ state }} ... on ReservationClosed {{ state }} {REFUSAL} }} }}",
    OUTCOME,
)
RETURN = Operation(
    "mutation return($input: ReturnStockInput!) "
    f"{{ answer: returnStock(input: $input) {{ __typename {REFUSAL} }} }}",
    OUTCOME,
)
MOVE = Operation(
    "mutation move($input: MoveStockInput!) "
    f"{{ answer: moveStock(input: $input) {{ __typename {REFUSAL} }} }}",
    OUTCOME,
)
AVAILABLE = Operation(
    "query available($skus: [String!], $warehouse: String!, $first: Int!) "
    "{ answer: stockLevels(filter: {skus: $skus, warehouses: [$warehouse]}, first: $first) "
    "{ edges { node { available sku { code } } } } }",
    msgspec.json.Decoder(Envelope[LevelPage]),
)
HOLDING = Operation(
    "query holding($id: ID!) { answer: reservation(id: $id) { state lines { quantity } } }",
    msgspec.json.Decoder(Envelope[Held | None]),
)
HAS_CATALOGUE = Operation(
    "query hasCatalogue { answer: skus(first: 1) { edges { node { code } } } }",
    msgspec.json.Decoder(Envelope[SkuPage]),
)
