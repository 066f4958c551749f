"""A caller of the public API as outside programs are: GraphQL over HTTP, asked again with the same
id until there is an answer."""

import asyncio
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp

from domain.access import EVERYWHERE, Role, Scope
from domain.commands import CellKey
from tests.integration.whole import Whole

PATIENCE_SECONDS = 180.0
"""For an answer, whatever is killed and started again meanwhile."""
ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 0.05
OK = 200
RESERVATION = """__typename
  ... on Reservation { id state createdAt expiresAt
    lines { sku warehouse quantity deducted seq availableAfter } }
  ... on Refusal { code message isTransient }"""
RESERVE = f"""mutation ($input: ReserveStockInput!) {{ answer: reserveStock(input: $input) {{
  {RESERVATION} ... on InsufficientStock {{ sku available }} }} }}"""
CONFIRM = f"mutation ($id: ID!) {{ answer: confirmReservation(id: $id) {{ {RESERVATION} }} }}"
RELEASE = f"mutation ($id: ID!) {{ answer: releaseReservation(id: $id) {{ {RESERVATION} }} }}"
DEDUCT = f"""mutation ($input: DeductReservationInput!) {{
  answer: deductReservation(input: $input) {{ {RESERVATION} }} }}"""
FIND = """query ($id: ID!) { answer: reservation(id: $id) { id state createdAt expiresAt
  lines { sku warehouse quantity deducted seq availableAfter } } }"""
LEVEL = """query ($sku: String!, $warehouse: String!, $consistency: Consistency) {
  answer: stockLevel(sku: $sku, warehouse: $warehouse, consistency: $consistency) {
    onHand available reserved seq } }"""
RECEIVE = """mutation ($input: ReceiveStockInput!) { answer: receiveStock(input: $input) {
  __typename ... on StockLevel { onHand available seq } ... on Refusal { code message } } }"""
SKUS = "mutation ($rows: [SkuRow!]!) { answer: upsertSkus(rows: $rows) { ok } }"
WAREHOUSES = "mutation ($rows: [WarehouseRow!]!) { answer: upsertWarehouses(rows: $rows) { ok } }"


class Unanswered(Exception):
    """Nobody can say whether it happened: ask again with the same id."""


class Caller:
    """One caller with at most so many connections; a single one stays with its API worker."""

    def __init__(
        self,
        shop: Whole,
        connections: int = 100,
        role: Role = Role.ADMIN,
        subject: str = "tester",
        scope: Scope = EVERYWHERE,
    ) -> None:
        self.url = f"{shop.url}/graphql"
        self.metrics_url = f"{shop.url}/metrics"
        self.headers = {"authorization": f"Bearer {shop.token(role, subject, scope)}"}
        self.connections = connections
        self.unanswered = 0

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.connections, keepalive_timeout=600),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            headers=self.headers,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def once(self, document: str, **variables: Any) -> Any:
        """The answer, or Unanswered."""
        body = {"query": document, "variables": variables}
        try:
            async with self.session.post(self.url, json=body) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unanswered(repr(error)) from error
        errors = answer.get("errors")
        if not errors:
            return answer["data"]["answer"]
        assert all(error["extensions"].get("retryable") for error in errors), answer
        raise Unanswered(str(errors))

    async def ask(self, document: str, **variables: Any) -> Any:
        """The answer, after as many tries as it takes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    return await self.once(document, **variables)
                except Unanswered:
                    self.unanswered += 1
                await asyncio.sleep(PAUSE_SECONDS)

    async def reserve(self, id: str, *lines: tuple[str, str | None, int], ttl: int = 600) -> Any:
        return await self.ask(RESERVE, input=order(id, *lines, ttl=ttl))

    async def furnish(self, units: Mapping[CellKey, int]) -> None:
        """Makes these cells, with what they shall have on hand."""
        await self.catalogue(units)
        for key, quantity in units.items():
            wanted = {**key._asdict(), "id": new_id(), "quantity": quantity}
            received = await self.ask(RECEIVE, input=wanted)
            assert received["__typename"] == "StockLevel", received

    async def catalogue(self, keys: Iterable[CellKey]) -> None:
        """Makes the SKUs and warehouses of these cells."""
        skus = sorted({key.sku for key in keys})
        warehouses = sorted({key.warehouse for key in keys})
        made = await self.ask(
            WAREHOUSES, rows=[{"code": code, "name": code, "region": "EU"} for code in warehouses]
        )
        made += await self.ask(SKUS, rows=[{"code": code, "name": code} for code in skus])
        assert all(row["ok"] for row in made)

    async def metrics(self) -> list[str]:
        """Lines of the page that one API worker shows."""
        async with self.session.get(self.metrics_url) as response:
            assert response.status == OK
            return (await response.text()).splitlines()


def new_id() -> str:
    return str(uuid4())


def new_code() -> str:
    return uuid4().hex[:10].upper()


def order(id: str, *lines: tuple[str, str | None, int], ttl: int = 600) -> dict[str, Any]:
    named = [dict(zip(("sku", "warehouse", "quantity"), line, strict=True)) for line in lines]
    return {"id": id, "ttlSeconds": ttl, "lines": named}


def is_held(answer: Any) -> bool:
    return bool(answer["__typename"] == "Reservation")


def labelled(metrics: Iterable[str], name: str, label: str) -> dict[str, float]:
    """The values of one metric by one of its labels."""
    found = {}
    for line in metrics:
        if line.startswith(f"{name}{{"):
            labels, _, value = line.partition("} ")
            found[labels.partition(f'{label}="')[2].partition('"')[0]] = float(value)
    return found
