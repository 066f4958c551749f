"""A pair that a crowd buys without any sale gets an owner of its own in a running shop, and goes
back when the crowd has left; whatever was answered meanwhile is in the ledger once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from infra.embedded.process import open_many_files
from tests.integration.books import books_of
from tests.integration.caller import Caller
from tests.integration.cells import cells_of_owners
from tests.integration.conftest import started
from tests.integration.load import load
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
BUYERS = 8
OPENING = 100_000
BETWEEN = 100
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.2
SEATS = "{ answer: ownership { name reason cells { sku warehouse } } }"
SOON = {"HOT_PER_SECOND": 20, "HOT_SECONDS": 1, "COOL_SECONDS": 2}
"""A busy test machine sells little: so this shop takes little for heat."""


@pytest.fixture(scope="module")
def excitable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    open_many_files()
    shop = Whole(tmp_path_factory.mktemp("excitable") / "home")
    shop.environ |= {f"ONHAND_{name}": str(value) for name, value in SOON.items()}
    yield from started(shop)


async def test_a_pair_without_a_sale_is_promoted_while_it_is_hot_and_demoted_when_it_cooled(
    excitable: Whole,
) -> None:
    (key,) = cells_of_owners(excitable, 1)[:1]
    own = {
        "name": f"hot-{key.sku}@{key.warehouse}",
        "reason": "HOT",
        "cells": [key._asdict()],
    }
    async with books_of(excitable) as books, Caller(excitable) as caller:
        async with load(excitable, [key], BUYERS, OPENING) as orders:
            await until(lambda: promoted(caller), [own])
            await orders.more(BETWEEN)
            assert await promoted(caller) == [own]
        await until(lambda: promoted(caller), [])
        await orders.prove(books, OPENING)
        assert (await counted(caller, "promotions"), await counted(caller, "demotions")) == (1, 1)
    audited = await asyncio.to_thread(excitable.run, "audit")
    assert audited.returncode == 0, audited.stdout


async def promoted(caller: Caller) -> list[Any]:
    seats = await caller.ask(SEATS)
    assert {seat["name"] for seat in seats} >= {"shared-0", "shared-1"}
    return [seat for seat in seats if seat["reason"] != "SHARED"]


async def counted(caller: Caller, name: str) -> int:
    (line,) = [x for x in await caller.metrics() if x.startswith(f"onhand_{name}_total ")]
    return int(float(line.split()[1]))


async def until(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await look() == wanted:
                return
            await asyncio.sleep(POLL_SECONDS)
