"""A running server's public GraphQL API as a `Door`. How bytes travel is given to it.

A call whose outcome is unknown is made again with the same id until the server answers or patience
ends: that is safe, because every id is made here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from connectors import public_api_documents as documents
from connectors.public_api_documents import Operation
from infra.outage import Outage
from services.door import Done, DoorError, Holding, Refused, SkuRow, WarehouseRow

HOLD_SECONDS = 600
PAGE_ITEMS = 100
PATIENCE_SECONDS = 60.0
"""How long one call is repeated before the server is given up."""
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
ASK_AGAIN = frozenset({429, 502, 503, 504})
UNWELCOME = frozenset({401, 403})
MESSAGE_LENGTH = 200

T = TypeVar("T")


class Sent(NamedTuple):
    """What came back over HTTP."""

    status: int
    body: bytes


class ConnectionLost(Exception):
    """Nothing came back; the server may or may not have acted."""


Send = Callable[[bytes], Awaitable[Sent]]


class Extensions(msgspec.Struct):
    code: str = ""
    retryable: bool = False


class GraphQLError(msgspec.Struct):
    message: str
    extensions: Extensions = msgspec.field(default_factory=Extensions)


class Errors(msgspec.Struct):
    """Of an answer with errors nothing else counts."""

    errors: list[GraphQLError] = []


ERRORS = msgspec.json.Decoder(Errors)
ENCODER = msgspec.json.Encoder()


class PublicApi:
    """Counts the calls it had to repeat."""

    def __init__(
        self,
        send: Send,
        patience_seconds: float = PATIENCE_SECONDS,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self.send = send
        self.patience_seconds = patience_seconds
        self.first_pause_seconds = first_pause_seconds
        self.repeated = 0

    async def ask(self, operation: Operation[T], variables: Mapping[str, Any]) -> T:
        """Raises Outage when patience ends, DoorError when the server cannot be used so."""
        body = ENCODER.encode({"query": operation.document, "variables": variables})
        for pause in self.pauses():
            try:
                return understood(operation, await self.send(body))
            except ConnectionLost as lost:
                outage = Outage(f"the connection was lost: {lost}")
            except Outage as told:
                outage = told
            if pause is None:
                raise outage
            self.repeated += 1
            await asyncio.sleep(pause)
        raise AssertionError("the last pause is None")

    def pauses(self) -> Iterator[float | None]:
        """Seconds to wait before asking again; None: do not."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self.patience_seconds
        pause = self.first_pause_seconds
        while loop.time() + pause < give_up:
            yield pause
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        yield None

    async def upsert_warehouses(self, rows: Sequence[WarehouseRow]) -> list[Refused | None]:
        variables = {"rows": [row._asdict() for row in rows]}
        answers = await self.ask(documents.UPSERT_WAREHOUSES, variables)
        return [answer.told() for answer in answers]

    async def upsert_skus(self, rows: Sequence[SkuRow]) -> list[Refused | None]:
        answers = await self.ask(documents.UPSERT_SKUS, {"rows": [sku_input(row) for row in rows]})
        return [answer.told() for answer in answers]

    async def receive(
        self, id: UUID, sku: str, warehouse: str, quantity: int, reference: str
    ) -> Done | Refused:
        command = cell_command(id, sku, warehouse, quantity) | {"reference": reference}
        return (await self.ask(documents.RECEIVE, {"input": command})).told()

    async def reserve(
        self, id: UUID, warehouse: str, wants: Mapping[str, int], customer: str | None
    ) -> Done | Refused:
        lines = [
            {"sku": sku, "warehouse": warehouse, "quantity": quantity}
            for sku, quantity in wants.items()
        ]
        command = {"id": id, "lines": lines, "ttlSeconds": HOLD_SECONDS, "customer": customer}
        return (await self.ask(documents.RESERVE, {"input": command})).told()

    async def confirm(self, id: UUID) -> Done | Refused:
        return (await self.ask(documents.CONFIRM, {"id": id})).told()

    async def deduct(self, id: UUID, reservation: UUID) -> Done | Refused:
        command = {"id": id, "reservationId": reservation}
        return (await self.ask(documents.DEDUCT, {"input": command})).told()

    async def take_back(
        self, id: UUID, sku: str, warehouse: str, quantity: int, reference: str
    ) -> Done | Refused:
        command = cell_command(id, sku, warehouse, quantity)
        command |= {"to": "QUARANTINED", "reference": reference}
        return (await self.ask(documents.RETURN, {"input": command})).told()

    async def clear(self, id: UUID, sku: str, warehouse: str, quantity: int) -> Done | Refused:
        command = cell_command(id, sku, warehouse, quantity)
        command |= {"from": "QUARANTINED", "to": "AVAILABLE"}
        return (await self.ask(documents.MOVE, {"input": command})).told()

    async def available(self, warehouse: str, skus: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(skus), PAGE_ITEMS):
            asked = skus[start : start + PAGE_ITEMS]
            variables = {"skus": asked, "warehouse": warehouse, "first": PAGE_ITEMS}
            page = await self.ask(documents.AVAILABLE, variables)
            found.update((edge.node.sku.code, edge.node.available) for edge in page.edges)
        return found

    async def holding(self, id: UUID) -> Holding | None:
        held = await self.ask(documents.HOLDING, {"id": id})
        return None if held is None else held.told()

    async def has_catalogue(self) -> bool:
        return bool((await self.ask(documents.HAS_CATALOGUE, {})).edges)


def cell_command(id: UUID, sku: str, warehouse: str, quantity: int) -> dict[str, Any]:
    return {"id": id, "sku": sku, "warehouse": warehouse, "quantity": quantity}


def sku_input(row: SkuRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "category": row.category,
        "barcode": row.barcode,
        "lastPriceCents": row.last_price_cents,
    }


def understood(operation: Operation[T], sent: Sent) -> T:
    """The answer, or Outage where asking again may help, or DoorError."""
    if sent.status in ASK_AGAIN:
        raise Outage(f"the server answered with HTTP {sent.status}")
    if sent.status in UNWELCOME:
        raise DoorError(f"the server does not accept the token (HTTP {sent.status})")
    try:
        if b'"errors"' in sent.body and (errors := ERRORS.decode(sent.body).errors):
            raise fault(errors)
        return operation.decoder.decode(sent.body).data.answer
    except msgspec.MsgspecError:
        text = sent.body[:MESSAGE_LENGTH].decode(errors="replace")
        raise DoorError(f"this is no answer of ours (HTTP {sent.status}): {text}") from None


def fault(errors: Sequence[GraphQLError]) -> Outage | DoorError:
    for error in errors:
        if not error.extensions.retryable:
            return DoorError(f"the server failed: {error.message} ({error.extensions.code})")
    return Outage(errors[0].message)
