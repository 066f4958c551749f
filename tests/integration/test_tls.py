"""A whole shop that speaks TLS itself: everything over https and wss, nothing without."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gql import Client, gql
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from websockets import WebSocketException, connect

from tests.infra.certificates import Certified, certified
from tests.integration.receiver import Receiver
from tests.integration.test_outside_clients import CHANGES
from tests.integration.whole import Whole

PATIENCE_SECONDS = 60.0
ORDERS = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,MUG,A mug,5,2025-01-01 10:00,2.50,7,UK
"""
LEVELS = gql("""{ sku(code: "MUG") { levels { available } } }""")
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return certified(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def receiver(files: Certified, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    made = Receiver("tls", tmp_path_factory.mktemp("receiver"), tls)
    yield made
    made.end()


@pytest.fixture(scope="module")
def secure(
    tmp_path_factory: pytest.TempPathFactory, files: Certified, receiver: Receiver
) -> Iterator[Whole]:
    shop = Whole(tmp_path_factory.mktemp("secure") / "home", workers=1)
    shop.environ |= files.environ
    shop.environ |= {"ONHAND_LOG_SYSLOG": receiver.url, "SSL_CERT_FILE": str(files.authority)}
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()


def trusting(files: Certified) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files.authority)


async def test_queries_and_sockets_and_our_own_commands_work(
    secure: Whole, files: Certified, tmp_path: Path
) -> None:
    assert f"https://127.0.0.1:{secure.port}/graphql" in secure.output.read_text()
    orders = tmp_path / "orders.csv"
    orders.write_text(ORDERS)
    del secure.environ["SSL_CERT_FILE"]
    refused = await asyncio.to_thread(secure.run, "import", str(orders))
    assert refused.returncode == 1
    assert "certificate verify failed" in refused.stderr
    secure.environ["SSL_CERT_FILE"] = str(files.authority)
    done = await asyncio.to_thread(secure.run, "import", str(orders))
    assert done.returncode == 0, done.stdout + done.stderr

    headers = {"authorization": f"Bearer {secure.token()}"}
    url = f"{secure.url}/graphql"
    transport = HTTPXAsyncTransport(url, headers=headers, verify=trusting(files))
    async with Client(transport=transport) as session:
        found = await session.execute(LEVELS)
    (level,) = found["sku"]["levels"]
    CHANGES.variable_values = {"sku": "MUG"}
    wss = WebsocketsTransport(
        url.replace("https:", "wss:"),
        init_payload=headers,
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        ssl=trusting(files),
    )
    async with asyncio.timeout(PATIENCE_SECONDS), Client(transport=wss) as session:
        async for change in session.subscribe(CHANGES):
            assert change["stockChanged"]["available"] == level["available"]
            break


async def test_without_tls_nothing_is_answered(secure: Whole) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{secure.port}/health/live")
    with pytest.raises(WebSocketException):
        await connect(f"ws://127.0.0.1:{secure.port}/graphql")


async def test_the_log_of_each_process_goes_to_another_machine(
    secure: Whole, files: Certified, receiver: Receiver
) -> None:
    async with httpx.AsyncClient(verify=trusting(files)) as client:
        await client.post(f"{secure.url}/graphql", json={"query": "{ a }"})
    told = await asyncio.to_thread(receiver.until, "turned away")
    pids = {one.kind: one.pid for one in told}
    api, relay, owner = pids["onhand.turned_away"], pids["__main__"], pids["actors.seat"]
    assert len({api, relay, owner}) == 3
    assert all(one.line["level"] in ("info", "warning") for one in told)


async def test_browsers_are_told_to_come_over_tls_only(secure: Whole, files: Certified) -> None:
    async with httpx.AsyncClient(verify=trusting(files)) as client:
        answer = await client.get(f"{secure.url}/health/live")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("version", "is_spoken"),
    [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)],
)
async def test_tls_older_than_1_2_is_not_spoken(
    secure: Whole, files: Certified, version: str, is_spoken: bool
) -> None:
    context = trusting(files)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    wanted = ssl.TLSVersion[version]
    if is_spoken:
        context.minimum_version = context.maximum_version = wanted
    else:
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = wanted
    connecting = asyncio.open_connection("127.0.0.1", secure.port, ssl=context)
    if not is_spoken:
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol version|handshake failure"):
            await connecting
        return
    _, writer = await connecting
    assert writer.get_extra_info("ssl_object").version() == version.replace("_", ".")
    writer.close()
    await writer.wait_closed()


def test_production_does_not_start_on_an_open_address_without(tmp_path: Path) -> None:
    shop = Whole(tmp_path / "home")
    shop.environ |= {
        "ONHAND_ENV": "production",
        "ONHAND_SECRET_KEY": "k" * 40,
        "ONHAND_HOST": "0.0.0.0",
    }
    done = shop.run("serve")
    assert done.returncode == 1
    assert "Error: ONHAND_HOST 0.0.0.0 is open to other machines" in done.stderr
    assert shop.parts() == []
