"""A shop on a ledger in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.actors.fake_store import FakeStore
from tests.actors.world import FakeClock
from tests.services.world import OWNERS, SKUS, WAREHOUSES, FakeCatalogue, Shop, open_shop


@pytest.fixture
def ledger() -> FakeStore:
    return FakeStore([sku.code for sku in SKUS], [warehouse.code for warehouse in WAREHOUSES])


@pytest.fixture
async def shop(ledger: FakeStore) -> AsyncIterator[Shop]:
    async with open_shop([ledger] * OWNERS, FakeClock(), FakeCatalogue()) as opened:
        yield opened
