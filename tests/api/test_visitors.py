"""Where requests come from: addresses behind proxies, pages of other sites, and what browsers are
told about answers."""

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from api.edge import Edge
from api.metrics import Metrics
from api.visitors import Visitors
from infra.logs import ORIGIN
from infra.settings import Settings, SettingsError
from tests.api.shop import ENVIRON, SETTINGS, StillClock, open_shop
from tests.api.wire import opened

SHOP = "https://shop.example"
PRODUCTION = {"ONHAND_ENV": "production", "ONHAND_PUBLIC_URL": "https://stock.example/"}
PROXIES = "10.0.0.0/8, 2001:db8::/32"


def visitors(**environ: str) -> Visitors:
    return Visitors(Settings.load({**ENVIRON, **environ}))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("2001:db8::1", "198.51.100.1:4711, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "[2001:470::7]:4711", "2001:470::7"),
        ("10.0.0.1", "2001:470::7", "2001:470::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, <script>", "10.0.0.1"),
        ("10.0.0.1", "unknown, 10.2.3.4", "10.2.3.4"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9," * 50 + "10.0.0.2" + ",10.0.0.2" * 40, "10.0.0.2"),
    ],
)
def test_only_proxies_of_ours_say_who_the_client_is(peer: str, forwarded: str, client: str) -> None:
    seen = visitors(ONHAND_TRUSTED_PROXIES=PROXIES).address(peer, forwarded.encode())
    assert seen == client


def test_without_a_setting_no_proxy_is_believed() -> None:
    assert visitors().address("127.0.0.1", b"198.51.100.1") == "127.0.0.1"
    assert visitors().address(None, b"198.51.100.1") is None


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        ("https://stock.example", "10.0.0.5:8000", True),
        ("https://STOCK.example", "stock.example", True),
        ("https://other.example:8443", "other.example:8443", True),
        ("https://other.example:8443", "other.example", False),
        ("https://shop.example", "stock.example", True),
        ("http://shop.example", "stock.example", False),
        ("https://shop.example.evil.example", "stock.example", False),
        ("https://evil.example", "stock.example", False),
        ("http://localhost:5173", "stock.example", False),
        ("null", "null", False),
        ("", "", False),
        ("http://[::1", "stock.example", False),
    ],
)
def test_pages_of_our_own_and_of_named_origins_may_ask(origin: str, host: str, may: bool) -> None:
    here = visitors(**PRODUCTION, ONHAND_ALLOWED_ORIGINS=SHOP)
    assert here.may_ask(origin.encode(), host.encode()) is may


def test_in_development_pages_of_this_machine_may_ask() -> None:
    for origin in (b"http://localhost:5173", b"http://127.0.0.1:3000", b"http://[::1]:9"):
        assert visitors().may_ask(origin, b"127.0.0.1:8000")
    assert not visitors().may_ask(b"http://evil.example", b"127.0.0.1:8000")


async def test_a_foreign_page_is_turned_away_before_anything_is_looked_at() -> None:
    shop = open_shop()
    async with shop.client() as client:
        headers = {"origin": "https://evil.example"}
        response = await client.post("/graphql", json={"query": "{ a }"}, headers=headers)
    assert response.status_code == 403
    (error,) = response.json()["errors"]
    assert error["extensions"] == {
        "code": "ORIGIN_NOT_ALLOWED",
        "setting": "ONHAND_ALLOWED_ORIGINS",
    }
    assert response.headers["x-correlation-id"]


async def test_a_socket_of_a_foreign_page_is_not_accepted() -> None:
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": [(b"origin", b"https://evil.example"), (b"host", b"shop")],
        "subprotocols": ["graphql-transport-ws"],
    }
    gone = {"type": "websocket.disconnect", "code": 1006}
    async with opened(open_shop().app(), scope, gone) as line:
        line.inbound.put_nowait({"type": "websocket.connect"})
        refused = await line.next()
        assert (refused["type"], refused["code"]) == ("websocket.close", 4403)


async def test_a_browser_is_told_which_other_pages_may_read_the_answer() -> None:
    shop = open_shop(environ={"ONHAND_ALLOWED_ORIGINS": SHOP})
    async with shop.client() as client:
        preflight = {
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        allowed = await client.options("/graphql", headers=preflight)
        asked = await client.post("/graphql", json={"query": "{a}"}, headers={"origin": SHOP})
    assert allowed.status_code == 200
    for response in (allowed, asked):
        assert response.headers["access-control-allow-origin"] == SHOP
        assert "access-control-allow-credentials" not in response.headers


async def test_every_answer_tells_browsers_what_they_may_not_do() -> None:
    async with open_shop(environ=PRODUCTION | {"ONHAND_SECRET_KEY": "k" * 40}).client() as client:
        for path in ("/graphql", "/health/live", "/metrics", "/nowhere"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["strict-transport-security"] == "max-age=31536000"


async def test_what_an_answer_says_itself_is_not_said_twice() -> None:
    async with open_shop().client() as client:
        page = await client.get("/graphql", headers={"accept": "text/html"})
    assert page.headers.get_list("cache-control") == ["no-cache"]
    assert len(page.headers.get_list("content-security-policy")) == 1
    assert "strict-transport-security" not in page.headers


async def test_the_trail_and_the_lock_out_are_told_the_address_behind_the_proxy() -> None:
    seen: list[str | None] = []

    async def inside(_scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(ORIGIN.get())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    settings = Settings.load({**ENVIRON, "ONHAND_TRUSTED_PROXIES": "10.0.0.0/8"})
    for setting in (settings, SETTINGS):
        app = Edge(inside, StillClock(), Metrics(), setting)
        transport = httpx.ASGITransport(app, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.get("/", headers={"x-forwarded-for": "198.51.100.1"})
    assert seen == ["198.51.100.1", "10.0.0.1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONHAND_ALLOWED_ORIGINS", "shop.example"),
        ("ONHAND_ALLOWED_ORIGINS", "https://shop.example/"),
        ("ONHAND_ALLOWED_ORIGINS", "*"),
        ("ONHAND_TRUSTED_PROXIES", "everybody"),
        ("ONHAND_TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_bad_origin_or_network_is_refused_at_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.load({name: value})
