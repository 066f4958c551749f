"""What the buyers of a flash sale ask of the public GraphQL API, and the shape of each answer."""

import msgspec

from connectors.public_api_documents import OUTCOME, REFUSAL, Envelope, Operation, Outcome
from domain.waiting_room import TicketState
from services.door import Refused
from services.sale_door import Movement, Place


class Seen(Outcome):
    """A ticket, or why there is none."""

    id: str = ""
    wait: int | None = None
    token: str | None = None

    def place(self) -> Place | Refused:
        if self.code is not None:
            return Refused(self.code, self.message)
        return Place(self.id, TicketState((self.state or "").lower()), self.wait, self.token)


class Row(msgspec.Struct):
    seq: int
    kind: str
    quantity: int
    pool: str | None

    def told(self) -> Movement:
        return Movement(self.seq, self.kind, self.quantity, self.pool)


class RowEdge(msgspec.Struct):
    node: Row


class Turn(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None


class Rows(msgspec.Struct, rename="camel"):
    edges: list[RowEdge]
    page_info: Turn


class Exact(msgspec.Struct, rename="camel"):
    available: int
    reserved: int
    on_hand: int
    seq: int


TICKET_FIELDS = "id state token wait: estimatedWaitSeconds"
CREATE_SALE = Operation(
    "mutation createSale($input: CreateFlashSaleInput!) "
    f"{{ answer: createFlashSale(input: $input) {{ __typename {REFUSAL} }} }}",
    OUTCOME,
)
CLOSE_SALE = Operation(
    "mutation closeSale($id: ID!) "
    f"{{ answer: closeFlashSale(id: $id) {{ __typename {REFUSAL} }} }}",
    OUTCOME,
)
JOIN = Operation(
    "mutation join($sale: ID!, $customer: String!) "
    "{ answer: joinFlashSale(saleId: $sale, customer: $customer) "
    f"{{ ... on Ticket {{ {TICKET_FIELDS} }} {REFUSAL} }} }}",
    msgspec.json.Decoder(Envelope[Seen]),
)
TICKET = Operation(
    f"query ticket($id: ID!) {{ answer: ticket(id: $id) {{ {TICKET_FIELDS} }} }}",
    msgspec.json.Decoder(Envelope[Seen | None]),
)
RELEASE = Operation(
    "mutation release($id: ID!) { answer: releaseReservation(id: $id) "
    f"{{ ... on Reservation {{ state }} ... on ReservationClosed {{ state }} {REFUSAL} }} }}",
    OUTCOME,
)
LEDGER = Operation(
    "query ledger($sku: String!, $warehouse: String!, $first: Int!, $after: String) "
    "{ answer: ledger(sku: $sku, warehouse: $warehouse, first: $first, after: $after) "
    "{ edges { node { seq kind quantity pool } } pageInfo { hasNextPage endCursor } } }",
    msgspec.json.Decoder(Envelope[Rows]),
)
LEVEL = Operation(
    "query level($sku: String!, $warehouse: String!) "
    "{ answer: stockLevel(sku: $sku, warehouse: $warehouse, consistency: STRONG) "
    "{ available reserved onHand seq } }",
    msgspec.json.Decoder(Envelope[Exact]),
)
