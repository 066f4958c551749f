"""The GraphiQL page: with the files that npm installs, without them, and nothing else."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import api
from api.commands.serve import greeting
from api.graphiql import PACKAGES, Console
from infra.settings import Settings
from tests.api.shop import SECRET, open_shop

ABSENT = "GraphiQL is not installed"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
LINKS = re.compile(r'(?:src|href)="([^"]+)"')


def install(folder: Path) -> None:
    for path, _ in PACKAGES.values():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"/* {path} */", encoding="utf-8")


def browser(console: Console) -> httpx.AsyncClient:
    async def page(_request: Request) -> Response:
        return console.page()

    routes = [Route("/graphql", page), Route("/graphql/assets/{name}", console.asset)]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://shop")


async def test_a_browser_is_given_the_console() -> None:
    async with open_shop().client(None) as client:
        client.headers["accept"] = BROWSER
        page = await client.get("/graphql")
        linked = await client.get("/graphql", params={"query": "{ __typename }"})
        start = await client.get("/")
    assert page.status_code == linked.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert start.headers["location"] == "/graphql"


async def test_the_console_lives_without_a_network(tmp_path: Path) -> None:
    install(tmp_path)
    async with browser(Console(tmp_path)) as client:
        page = await client.get("/graphql")
        addresses = LINKS.findall(page.text)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert len(addresses) >= 6
        for address in addresses:
            assert address == "data:," or address.startswith("/graphql/assets/")
            if address != "data:,":
                assert (await client.get(address)).status_code == 200


async def test_without_its_files_a_plain_page_says_how_to_get_them(tmp_path: Path) -> None:
    async with browser(Console(tmp_path)) as client:
        page = await client.get("/graphql")
        missing = await client.get("/graphql/assets/graphiql.min.js")
    assert page.status_code == 200
    assert ABSENT in page.text
    assert "make setup" in page.text
    assert LINKS.findall(page.text) == ["data:,"]
    assert missing.status_code == 404


async def test_an_installation_is_seen_while_the_server_runs(tmp_path: Path) -> None:
    async with browser(Console(tmp_path)) as client:
        before = await client.get("/graphql")
        install(tmp_path)
        after = await client.get("/graphql")
    assert ABSENT in before.text
    assert ABSENT not in after.text


async def test_half_an_installation_counts_as_none(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "react/umd/react.production.min.js").unlink()
    async with browser(Console(tmp_path)) as client:
        assert ABSENT in (await client.get("/graphql")).text


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_an_asset_is_sent_as_it_can_be_read(tmp_path: Path, encoding: str) -> None:
    install(tmp_path)
    script = Path(api.__file__).with_name("console") / "console.js"
    react = tmp_path / "react/umd/react.production.min.js"
    async with browser(Console(tmp_path)) as client:
        for written in (script, react):
            headers = {"accept-encoding": encoding}
            response = await client.get(f"/graphql/assets/{written.name}", headers=headers)
            assert response.headers.get("content-encoding", "identity") == encoding
            assert response.headers["content-type"].startswith("text/javascript")
            assert response.headers["cache-control"] == "public, max-age=3600"
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.text == written.read_text(encoding="utf-8")


async def test_nothing_but_the_consoles_files_can_be_fetched(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "secret.js").write_text("secret", encoding="utf-8")
    names = ("index.html", "absent.html", "secret.js", "%2e%2e%2fapp.py", "..%2fapp.py")
    async with browser(Console(tmp_path)) as client:
        for name in (*names, "react%2fumd%2freact.production.min.js", "graphiql.min.js.gz"):
            assert (await client.get(f"/graphql/assets/{name}")).status_code == 404


def test_one_click_on_the_greeting_is_enough_but_not_in_production() -> None:
    given = {"ONHAND_HOME": "nowhere", "ONHAND_SECRET_KEY": SECRET}
    link = r"http://127\.0\.0\.1:8000/graphql#token=\S+\.\S+\.\S+$"
    assert any(re.search(link, line) for line in greeting(Settings.load(given)))
    production = Settings.load({**given, "ONHAND_ENV": "production"})
    assert not any("token=" in line for line in greeting(production))
