"""Ray's own servers are killed in the middle of load: the owners are gone with them and come back,
the API lives on, and all that was answered is in the ledger once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest

from tests.integration.caller import PATIENCE_SECONDS
from tests.integration.following import Screen
from tests.integration.load import Load
from tests.integration.test_servers_stopped import under_load
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
ORDERS = 150
API = "api.app:create_app"


@pytest.mark.parametrize("server", ["raylet", "gcs_server"])
async def test_the_api_lives_on_when_the_cluster_of_the_owners_is_killed(
    battered: Whole, server: str
) -> None:
    async def trouble(shop: Whole, orders: Load, watched: Screen) -> None:
        before = api(shop)
        (killed,) = named(shop, server)
        killed.kill()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not named(shop, server) - {killed}:
                await orders.more(1)
        await orders.more(ORDERS)
        assert before
        assert api(shop) == before

    await under_load(battered, trouble)


def named(shop: Whole, name: str) -> set[psutil.Process]:
    return those(shop, lambda part: part.name() == name)


def api(shop: Whole) -> set[psutil.Process]:
    """psutil tells a process from another that got its id."""
    return those(shop, lambda part: API in part.cmdline())


def those(shop: Whole, is_one: Callable[[psutil.Process], bool]) -> set[psutil.Process]:
    found = set()
    for part in shop.parts():
        with suppress(psutil.NoSuchProcess):
            if part.status() != psutil.STATUS_ZOMBIE and is_one(part):
                found.add(part)
    return found
