"""Whether the process lives, whether it can do its work, and what it counts."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.shop import Shop, data, open_shop
from tests.schema.test_reservations import RESERVE, wants


@pytest.fixture
def shop() -> Shop:
    return open_shop()


async def test_a_process_that_answers_lives(shop: Shop) -> None:
    shop.down.update({"database", "owners"})
    async with shop.client(None) as client:
        response = await client.get("/health/live")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_each_dependency_is_told(shop: Shop) -> None:
    async with shop.client(None) as client:
        response = await client.get("/health/ready")
    assert response.status_code == 200
    told = response.json()
    assert told["status"] == "ok"
    assert {n: d["status"] for n, d in told["dependencies"].items()} == dict.fromkeys(
        ("database", "owners", "bus", "cache"), "ok"
    )


@pytest.mark.parametrize("name", ["database", "owners"])
async def test_without_what_is_needed_it_is_not_ready(shop: Shop, name: str) -> None:
    shop.down.add(name)
    async with shop.client(None) as client:
        response = await client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "down")
    found = response.json()["dependencies"][name]
    assert (found["status"], found["problem"]) == ("down", "ConnectionError")


@pytest.mark.parametrize("name", ["bus", "cache"])
async def test_without_the_rest_it_is_degraded_and_ready(shop: Shop, name: str) -> None:
    shop.down.add(name)
    async with shop.client(None) as client:
        response = await client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")


async def values(shop: Shop) -> dict[str, float]:
    """Every sample of /metrics, by name and labels but the worker's."""
    found: dict[str, float] = {}
    async with shop.client() as client:
        await data(client, RESERVE, wants(("MUG", 1)))
        await data(client, RESERVE, wants(("MUG", 2)))
        await client.post("/graphql", json={"query": "{ nothing }"})
        page = await client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    for family in text_string_to_metric_families(page.text):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "worker"}
            found[sample.name + str(sorted(labels.items()) or "")] = sample.value
    return found


async def test_metrics_count_what_was_asked_refused_and_wrong(shop: Shop) -> None:
    found = await values(shop)
    assert found["onhand_commands_total[('verb', 'reserveStock')]"] == 2
    assert found["onhand_refusals_total[('code', 'CONFLICT')]"] == 1
    assert found["onhand_errors_total[('code', 'GRAPHQL_VALIDATION_FAILED')]"] == 1
    assert found["onhand_operation_seconds_count[('kind', 'mutation')]"] == 2
    assert found["onhand_http_responses_total[('status', '200')]"] == 3
    assert found["onhand_subscribers"] == 0


async def test_metrics_tell_what_owners_and_relay_count(shop: Shop) -> None:
    found = await values(shop)
    assert found["onhand_owner_commands_total[('name', 'reserve'), ('owner', '0')]"] == 7
    assert found["onhand_owner_batch_sizes_bucket[('le', '2.0'), ('owner', '0')]"] == 5
    assert found["onhand_owner_batch_sizes_bucket[('le', '+Inf'), ('owner', '0')]"] == 6
    assert found["onhand_owner_batch_sizes_sum[('owner', '0')]"] == 9.5
    assert found["onhand_owner_inbox_depth[('owner', '0')]"] == 4
    assert (found["onhand_relay_up"], found["onhand_relay_lag_seconds"]) == (1, 0.25)


async def test_metrics_say_that_no_relay_reports(shop: Shop) -> None:
    shop.cache.is_down = True
    assert (await values(shop))["onhand_relay_up"] == 0
