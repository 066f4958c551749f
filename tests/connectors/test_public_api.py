"""The public API from outside: patience with outages, and none with faults."""

from uuid import UUID

import pytest

from connectors.public_api import ConnectionLost, PublicApi, Sent
from infra.outage import Outage
from services.door import Done, DoorError, Refused, SkuRow
from tests.connectors.fake_server import FakeServer

ID = UUID(int=1)


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.skus["A1"] = {}
    return server


@pytest.mark.parametrize("fault", ["before", "after", 503, 429, "BUSY", "UNAVAILABLE"])
async def test_an_outage_is_asked_again_with_the_same_id(
    server: FakeServer, fault: str | int
) -> None:
    server.faults = [fault, fault]
    api = PublicApi(server.send)
    assert await api.receive(ID, "A1", "LON", 5, "opening") == Done()
    assert server.available == {("A1", "LON"): 5}
    assert set(server.ids("receive")) == {str(ID)}
    assert api.repeated == 2


async def test_patience_ends() -> None:
    async def silent(body: bytes) -> Sent:
        raise ConnectionLost("refused")

    with pytest.raises(Outage, match="the connection was lost: refused"):
        await PublicApi(silent, patience_seconds=0.2).has_catalogue()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (401, "does not accept the token"),
        (404, "no answer of ours"),
        ("INTERNAL", "the server failed: sorry"),
    ],
)
async def test_a_fault_is_not_asked_again(
    server: FakeServer, fault: str | int, message: str
) -> None:
    server.faults = [fault]
    with pytest.raises(DoorError, match=message):
        await PublicApi(server.send).has_catalogue()


async def test_a_refusal_is_a_value(server: FakeServer) -> None:
    answer = await PublicApi(server.send).receive(ID, "B2", "LON", 5, "opening")
    assert answer == Refused("NOT_FOUND", "not_found")


async def test_levels_are_asked_for_in_pages(server: FakeServer) -> None:
    skus = [f"S{number}" for number in range(250)]
    server.available.update({(sku, "LON"): place for place, sku in enumerate(skus)})
    found = await PublicApi(server.send).available("LON", skus)
    assert found == {sku: place for place, sku in enumerate(skus)}
    assert len(server.asked) == 3


async def test_a_catalogue_is_seen(server: FakeServer) -> None:
    api = PublicApi(server.send)
    server.skus.clear()
    assert not await api.has_catalogue()
    await api.upsert_skus([SkuRow("A1", "Anvil", last_price_cents=990)])
    assert await api.has_catalogue()
    assert server.skus["A1"]["lastPriceCents"] == 990
