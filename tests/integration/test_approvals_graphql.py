"""A request for a second person as screens see it: refused, listed, watched, granted."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from domain.access import Caller
from schema.engine import Answer, Asker, Engine, Operation
from tests.integration.office import BIG, STOCK, Office
from tests.integration.people import People

ADJUST = """mutation ($id: ID!) { adjustStock(input: {id: $id, sku: "TEA", warehouse: "BER",
  delta: -1001, reason: LOST}) { __typename ... on StockLevel { available }
  ... on NeedsApproval { code isTransient message requestId act expiresAt }
  ... on ApprovalClosed { code approvalState } } }"""
REQUEST = """id act state target sku warehouse changes { name before after } askedBy decidedBy
  outcome"""
LIST = f"{{ approvals(states: [PENDING]) {{ edges {{ node {{ {REQUEST} }} }} }} }}"
GRANT = f"""mutation ($id: ID!, $code: String!) {{ grantApproval(id: $id, code: $code) {{
  __typename ... on Approval {{ {REQUEST} }} ... on Refusal {{ code message }} }} }}"""
REJECT = """mutation ($id: ID!) { rejectApproval(id: $id) {
  __typename ... on Approval { state } ... on Refusal { code } } }"""
ONE = "query ($id: ID!) { approval(id: $id) { state } }"
WATCH = "subscription { approvalsChanged { id state } }"
ID = {"id": str(BIG.id)}


class Screen:
    def __init__(self, here: People, caller: Caller) -> None:
        self.engine, self.asker = Engine(here.rt), Asker(caller, "test")

    async def ask(self, document: str, variables: dict[str, Any] | None = None) -> Any:
        operation = Operation(document, variables)
        prepared = self.engine.prepare(operation)
        assert not isinstance(prepared, Answer), prepared
        body = (await self.engine.execute(self.asker, prepared, operation)).body
        answer = msgspec.json.decode(body)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    def watch(self) -> AsyncGenerator[Answer, None]:
        operation = Operation(WATCH)
        prepared = self.engine.prepare(operation)
        assert not isinstance(prepared, Answer), prepared
        return self.engine.stream(self.asker, prepared, operation)


@pytest.fixture
def screens(office: Office) -> tuple[Screen, Screen]:
    return Screen(office.here, office.ann), Screen(office.here, office.bob)


async def test_one_asks_and_the_other_grants(
    office: Office,
    screens: tuple[Screen, Screen],
) -> None:
    ann, bob = screens
    async with aclosing(bob.watch()) as changes, asyncio.timeout(60):
        needs = await ann.ask(ADJUST, ID)
        assert needs["__typename"] == "NeedsApproval"
        assert (needs["requestId"], needs["act"]) == (ID["id"], "adjustStock")
        assert needs["isTransient"] is True
        told = msgspec.json.decode((await anext(changes)).body)
        assert told == {"data": {"approvalsChanged": {**ID, "state": "PENDING"}}}
    (edge,) = (await bob.ask(LIST))["edges"]
    change = {"name": "available", "before": "5000", "after": "3999"}
    assert edge["node"]["changes"] == [change]
    granted = await bob.ask(GRANT, {**ID, "code": office.code()})
    assert (granted["__typename"], granted["state"]) == ("Approval", "DONE")
    assert (await ann.ask(ADJUST, ID))["available"] == STOCK - 1_001
    assert (await ann.ask(ONE, ID))["state"] == "DONE"
    assert (await bob.ask(LIST))["edges"] == []


async def test_one_asks_and_the_other_rejects(screens: tuple[Screen, Screen]) -> None:
    ann, bob = screens
    await ann.ask(ADJUST, ID)
    assert await bob.ask(REJECT, ID) == {"__typename": "Approval", "state": "REJECTED"}
    assert await ann.ask(ADJUST, ID) == {
        "__typename": "ApprovalClosed",
        "code": "APPROVAL_CLOSED",
        "approvalState": "REJECTED",
    }
    wrong = await bob.ask(GRANT, {"id": "7", "code": "1"})
    assert (wrong["code"], wrong["message"]) == ("INVALID", "must be a UUID")


async def test_an_act_and_how_its_request_ended_are_asked_for_together(office: Office) -> None:
    """Fields of one union that have one name have one type."""
    documents = [
        """mutation { closeFlashSale(id: "7") { ... on FlashSale { state } %s } }""",
        """mutation { removeSecondFactor(code: "7") { ... on SecondFactor { isOn } %s } }""",
        """mutation { upsertSkus(rows: [], id: "7") { ok refusal { code %s } } }""",
    ]
    refusals = """... on NeedsApproval { requestId act expiresAt }
      ... on ApprovalClosed { approvalState } ... on Conflict { id } ... on Invalid { field }"""
    for document in documents:
        prepared = Engine(office.here.rt).prepare(Operation(document % refusals, None))
        assert not isinstance(prepared, Answer), prepared
