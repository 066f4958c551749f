"""While it cannot be said who somebody is: told to ask again, and not that they are nobody."""

import httpx
import pytest
from starlette.types import ASGIApp

from api.authentication import Gate
from api.graphiql import Console
from api.graphql_http import GraphQLOverHTTP
from api.graphql_ws import GraphQLOverWebSocket, Patience
from api.metrics import Metrics
from api.open_door import OpenDoor
from api.operations import Operations
from infra.outage import Outage
from schema.engine import Engine
from tests.api.shop import SECRET, Shop, StillClock, open_shop
from tests.api.wire import talk

TOKEN = "Bearer ohk_somebody"
QUERY = {"query": "{ warehouses { code } }"}
SHORT = 0.05


class Away:
    """Knows everybody until it is away."""

    def __init__(self, shop: Shop) -> None:
        self.is_away = True
        self.gate = Gate(SECRET, StillClock(), self.identify)
        self.operations = Operations(Engine(shop.rt), Metrics())

    async def identify(self, _token: str) -> None:
        if self.is_away:
            raise Outage("the database cannot be reached: ask again")

    def http(self) -> ASGIApp:
        door = OpenDoor(self.operations)
        return GraphQLOverHTTP(self.operations, door, self.gate, Console())

    def socket(self) -> ASGIApp:
        patience = Patience(for_init=SHORT, between_pings=SHORT)
        return GraphQLOverWebSocket(self.operations, self.gate, patience)


@pytest.fixture
def away() -> Away:
    return Away(open_shop())


async def test_over_http_it_is_503_with_the_time_to_ask_again(away: Away) -> None:
    transport = httpx.ASGITransport(away.http())
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        headers = {"authorization": TOKEN}
        response = await client.post("/graphql", json=QUERY, headers=headers)
        away.is_away = False
        nobody = await client.post("/graphql", json=QUERY, headers=headers)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    error = response.json()["errors"][0]["extensions"]
    assert error == {"code": "UNAVAILABLE", "retryable": True}
    assert nobody.status_code == 401


async def test_a_new_socket_is_closed_with_the_word_to_come_again(away: Away) -> None:
    async with talk(away.socket()) as client:
        client.say("connection_init", payload={"authorization": TOKEN})
        assert await client.closed() == 1013
