"""The trail and what it explains, through the public door of a running shop."""

import csv
import io
from typing import Any

import pytest

from domain.access import Role
from domain.commands import CellKey
from tests.integration.caller import RECEIVE, RELEASE, RESERVE, Caller, new_code, new_id, order
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
ADJUST = """mutation ($input: AdjustStockInput!) { answer: adjustStock(input: $input) {
  __typename ... on StockLevel { available } ... on Refusal { code } } }"""
HELD = "{ available reserved quarantined damaged pooled onHand }"
EXPLAIN = f"""query ($sku: String!, $warehouse: String!, $first: Int, $after: String) {{
  answer: explainStock(sku: $sku, warehouse: $warehouse, first: $first, after: $after) {{
    level {{ available reserved onHand seq }}
    steps {{ pageInfo {{ hasNextPage endCursor }} edges {{ node {{
      entry {{ seq kind quantity reason reference }} before {HELD} after {HELD}
      customer channel records {{ subject act outcome seq }} }} }} }} }} }}"""
RECORDS = """query ($filter: TrailFilter, $first: Int, $after: String) {
  answer: auditRecords(filter: $filter, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { seq subject act target outcome requestId asked before after address } } } }"""
INVITE = """mutation ($id: ID!, $email: String!) {
  answer: createUser(input: {id: $id, email: $email, name: "Ivy"}) { __typename } }"""


async def eventful(caller: Caller) -> CellKey:
    """Received 20, lost 2, reserved 3, gave the 3 back, and refused to lose 100."""
    key = CellKey(new_code(), new_code())
    await caller.furnish({key: 20})
    cell = {"sku": key.sku, "warehouse": key.warehouse}
    for delta in (-2, -100):
        given = {"id": new_id(), **cell, "delta": delta, "reason": "LOST", "note": "rain"}
        await caller.ask(ADJUST, input=given)
    reservation = new_id()
    wanted = order(reservation, (*key, 3)) | {"customer": "zoe", "channel": "web"}
    await caller.ask(RESERVE, input=wanted)
    await caller.ask(RELEASE, id=reservation)
    return key


def nodes(connection: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in connection["edges"]]


async def explained(caller: Caller, key: CellKey, **page: object) -> dict[str, Any]:
    answer: dict[str, Any] = await caller.ask(EXPLAIN, **key._asdict(), **page)
    return answer


async def test_a_level_is_explained_by_its_entries_and_the_people_behind(shop: Whole) -> None:
    async with Caller(shop, subject="ann") as caller:
        key = await eventful(caller)
        found = await explained(caller, key)
        steps = nodes(found["steps"])
    assert found["level"] == {"available": 18, "reserved": 0, "onHand": 18, "seq": 4}
    kinds = [step["entry"]["kind"] for step in steps]
    assert kinds == ["release", "reserve", "count_loss", "receive"]
    available = [(step["before"]["available"], step["after"]["available"]) for step in steps]
    assert available == [(15, 18), (18, 15), (20, 18), (0, 20)]
    assert steps[1]["after"]["reserved"] == 3
    assert (steps[1]["customer"], steps[1]["channel"]) == ("zoe", "web")
    (lost,) = steps[2]["records"]
    assert (lost["subject"], lost["act"], lost["outcome"]) == ("ann", "adjustStock", "DONE")
    assert steps[2]["entry"]["reason"] == "lost: rain"


async def test_an_id_that_is_used_again_does_not_show_what_else_it_was_of(shop: Whole) -> None:
    """The id of a key or a person is known to those who may not see what was done to it."""
    async with Caller(shop) as boss, Caller(shop, role=Role.OPERATIONS) as clerk:
        id, key = new_id(), CellKey(new_code(), new_code())
        email = f"{new_code()}@explained.example".lower()
        made = await boss.ask(INVITE, id=id, email=email)
        assert made["__typename"] == "User", made
        await boss.furnish({key: 1})
        await clerk.ask(RECEIVE, input={**key._asdict(), "id": id, "quantity": 1})
        newest = nodes((await explained(clerk, key))["steps"])[0]
    assert [record["act"] for record in newest["records"]] == ["receiveStock"]


async def test_pages_of_an_explanation_fit_together(shop: Whole) -> None:
    async with Caller(shop) as caller:
        key = await eventful(caller)
        whole = nodes((await explained(caller, key))["steps"])
        first = (await explained(caller, key, first=3))["steps"]
        rest = (await explained(caller, key, after=first["pageInfo"]["endCursor"]))["steps"]
    assert first["pageInfo"]["hasNextPage"]
    assert nodes(first) + nodes(rest) == whole


async def test_nothing_is_explained_where_nothing_happened(shop: Whole) -> None:
    async with Caller(shop) as caller:
        assert await explained(caller, CellKey(new_code(), "nowhere")) is None


async def test_records_are_found_by_what_they_were_done_to_and_what_became_of_it(
    shop: Whole,
) -> None:
    async with Caller(shop, subject="ann") as caller:
        key = await eventful(caller)
        wanted = {"target": f"{key.sku} {key.warehouse}"}
        every = nodes(await caller.ask(RECORDS, filter=wanted))
        refused = nodes(
            await caller.ask(RECORDS, filter={**wanted, "outcome": "INSUFFICIENT_STOCK"})
        )
        none = nodes(await caller.ask(RECORDS, filter={**wanted, "subject": "nobody"}))
    assert [record["act"] for record in every] == ["adjustStock", "adjustStock", "receiveStock"]
    assert refused == every[:1]
    assert none == []
    assert every[0]["address"] == "127.0.0.1"
    assert '"note":"rain"' in every[0]["asked"]


async def test_the_trail_is_exported_as_csv_and_the_export_is_recorded(shop: Whole) -> None:
    async with Caller(shop, subject="ann") as caller:
        key = await eventful(caller)
        wanted = {"target": f"{key.sku} {key.warehouse}"}
        url = f"{shop.url}/exports/trail.csv"
        async with caller.session.get(url, params=wanted) as response:
            assert response.status == 200
            assert response.content_type == "text/csv"
            rows = list(csv.DictReader(io.StringIO(await response.text())))
        (export,) = nodes(await caller.ask(RECORDS, filter={"act": "exportTrail"}, first=1))
    assert [row["act"] for row in rows] == ["adjustStock", "adjustStock", "receiveStock"]
    assert rows[0]["outcome"] == "INSUFFICIENT_STOCK"
    assert wanted["target"] in export["asked"]


@pytest.mark.parametrize(
    ("role", "query", "status"),
    [
        (Role.STOREFRONT, {}, 403),
        (Role.ADMIN, {"since": "yesterday"}, 400),
        (Role.ADMIN, {"colour": "red"}, 400),
    ],
)
async def test_an_export_that_is_not_given_says_why(
    shop: Whole, role: Role, query: dict[str, str], status: int
) -> None:
    async with (
        Caller(shop, role=role) as caller,
        caller.session.get(f"{shop.url}/exports/trail.csv", params=query) as response,
    ):
        assert response.status == status
        said = await response.json()
    assert all(name in said["errors"][0]["message"] for name in query)
