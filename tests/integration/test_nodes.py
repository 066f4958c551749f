"""Owners on several machines: a node dies under load, and its cells live on elsewhere."""

import asyncio
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from domain.commands import CellKey
from tests.integration.books import books_of
from tests.integration.caller import Caller, new_code
from tests.integration.nodes import Nodes, nodes
from tests.integration.whole import Whole
from tests.soak.buyers import Buyers
from tests.soak.checker import check
from tests.soak.soak import evidence_of

pytestmark = pytest.mark.timeout(600)
OWNERS = 3
BUYERS = 8
CALLS = 60
UNITS = 200


async def test_a_node_dies_and_its_cells_live_on_elsewhere(tmp_path: Path) -> None:
    shop = Whole(tmp_path / "home", owners=OWNERS, workers=1)
    with nodes(shop) as cluster:
        shop.environ["ONHAND_RAY_ADDRESS"] = cluster.address
        await asyncio.to_thread(shop.start)
        try:
            await lose_a_node(shop, cluster)
        finally:
            await asyncio.to_thread(shop.stop)


async def lose_a_node(shop: Whole, cluster: Nodes) -> None:
    cells = [CellKey(new_code(), new_code()) for _ in range(6)]
    async with Caller(shop) as caller, books_of(shop) as books:
        await caller.catalogue(cells)
        buyers = Buyers(caller, cells[:2], cells[2:])
        for cell in cells:
            await buyers.receive(cell, UNITS)
        spread = cluster.raylets()
        assert len(spread) == 3
        assert sum(bool(owners) for owners in spread.values()) > 1, spread
        async with asyncio.TaskGroup() as tasks:
            for seed in range(BUYERS):
                tasks.create_task(buyers.buy(Random(seed)))
            await buyers.more(CALLS)
            await asyncio.to_thread(cluster.kill_one)
            await buyers.more(CALLS)
            buyers.is_over = True
        left = cluster.raylets()
        assert len(left) == 2
        assert set(chain(*spread.values())) - set(chain(*left.values())), "it hosted no owner"
        await buyers.settle()
        assert check(await evidence_of(books, buyers)) == []
