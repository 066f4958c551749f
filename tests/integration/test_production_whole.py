"""A shop in production from its first start to its end, through trouble: it does its work, and none
of its secrets is seen anywhere."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.credentials import new_secret
from tests.integration.test_new_shop import (
    CHANGE,
    CREATE,
    OWNER,
    PASSWORD,
    REFRESH,
    SIGN_IN,
    WAREHOUSES,
    Visitor,
    first_owner,
    logs,
    trail,
)
from tests.integration.whole import Whole
from tests.written import unnamed

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.2
PLANTED = {"ONHAND_SECRET_KEY": new_secret(), "ONHAND_OIDC_CLIENT_SECRET": new_secret()}
PRODUCTION = PLANTED | {
    "ONHAND_ENV": "production",
    "ONHAND_OIDC_ISSUER": "https://127.0.0.1:9",
    "ONHAND_OIDC_CLIENT_ID": "onhand",
    "ONHAND_LOG_LEVEL": "debug",
}
KEYS = {"nats.key", "postgres.key", "postgres-app.key", "ray.key", "redis.key"}
WRONG = "a wrong password all the same"


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Whole]:
    shop = Whole(tmp_path / "home", workers=1)
    with TemporaryDirectory(prefix="t") as temporary:
        elsewhere = {"TMPDIR": temporary, "HOME": str(tmp_path / "user")}
        Path(elsewhere["HOME"]).mkdir()
        shop.environ |= PRODUCTION | elsewhere
        try:
            yield shop
        finally:
            shop.stop()


@pytest.mark.timeout(400)
async def test_production_works_from_first_to_last_and_tells_none_of_its_secrets(
    production: Whole,
) -> None:
    shop = production
    await asyncio.to_thread(shop.start)
    await asyncio.to_thread(first_owner, shop)
    async with httpx.AsyncClient(base_url=shop.url, timeout=PATIENCE_SECONDS) as client:
        owner = Visitor(client)
        told = await refused_answers(owner)
        await owner.sign_in(OWNER, PASSWORD)
        made = await owner.ask(CREATE, id=str(uuid4()), email="i@new.example", password=WRONG)
        assert made["__typename"] == "User"
        told += await badly_asked(owner)
        told += await in_trouble(shop, owner)
        await until_served(owner)
        told.append((await client.get("/metrics")).text)
        told.append(await trail(shop))
    told += [str(shop.settings), *(await asyncio.to_thread(commands, shop))]
    secrets = {*PLANTED.values(), *keys(shop), *owner.secrets, WRONG}
    await asyncio.to_thread(shop.stop)
    assert unnamed(shop.home) == []
    elsewhere = (Path(shop.environ[name]) for name in ("TMPDIR", "HOME"))
    assert [path for folder in elsewhere for path in folder.rglob("*")] == []
    told.append(logs(shop))
    assert '"level":"error"' in told[-1] or '"level":"warning"' in told[-1]
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


async def refused_answers(owner: Visitor) -> list[str]:
    """What strangers are told, whatever they try."""
    responses = [await owner.post(SIGN_IN, email=OWNER, password=WRONG)]
    responses.append(await owner.post(f'{{ "{PASSWORD}'))
    responses.append(await owner.client.get("/sign-in/oidc/"))
    responses.append(await owner.client.get("/sign-in/oidc/callback?code=x&state=y"))
    body = f'{{"query": "{PASSWORD}", '
    responses.append(await owner.client.post("/graphql", content=body))
    headers = {"authorization": f"Bearer {new_secret()}"}
    responses.append(await owner.client.post("/graphql", json={"query": "{a}"}, headers=headers))
    assert {response.status_code for response in responses} >= {200, 401, 503}
    return [f"{response.headers} {response.text}" for response in responses]


async def badly_asked(owner: Visitor) -> list[str]:
    """What somebody is told who sends a password in the wrong place. One of the wrong shape is
    quoted to whoever sent it; it must not get further than that."""
    await owner.post(CHANGE, now={"a": PASSWORD}, then=WRONG)
    await owner.post(f'mutation {{ signIn(input: "{PASSWORD}") }}')
    responses = [
        await owner.post(CHANGE, now=WRONG, then=WRONG),
        await owner.post(CHANGE, now=WRONG, then=WRONG, keep=f"{owner.token}x"),
        await owner.post("{ warehouses { code } }", unknown=PASSWORD),
        await owner.post(REFRESH, id=PASSWORD, token=owner.token),
    ]
    return [f"{response.headers} {response.text}" for response in responses]


async def in_trouble(shop: Whole, owner: Visitor) -> list[str]:
    """What is told while the servers below are gone: each is killed, and begun anew."""
    told = []
    for name in ("postgres", "redis-server", "nats-server"):
        (await asyncio.to_thread(shop.server, name)).kill()
        for document, variables in ((WAREHOUSES, {}), (SIGN_IN, credentials())):
            told.append((await owner.post(document, **variables)).text)
        told.append((await owner.client.get("/health/ready")).text)
        told.append((await owner.client.get("/metrics")).text)
    return told


def credentials() -> dict[str, Any]:
    return {"email": OWNER, "password": WRONG}


async def until_served(owner: Visitor) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if "errors" not in (await owner.post(WAREHOUSES)).json():
                return
            await asyncio.sleep(PAUSE_SECONDS)


def commands(shop: Whole) -> list[str]:
    """What commands beside it print, well or badly called."""
    lines = (("settings",), ("audit",), ("token", "--role", "admin"), ("serve",))
    ran = [shop.run(*line) for line in lines]
    return [done.stdout + done.stderr for done in ran]


def keys(shop: Whole) -> set[str]:
    found = {path.name: path.read_text().strip() for path in shop.home.glob("*.key")}
    assert set(found) == KEYS
    return set(found.values())
