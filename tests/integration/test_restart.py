"""The whole shop ends in the middle of load, politely or by kill -9 of all of it, and is started
again: its buyers go on, what they were answered is in the ledger once."""

import asyncio

import pytest

from tests.integration.books import books_of
from tests.integration.caller import FIND, Caller, is_held, new_id
from tests.integration.cells import cells_of_owners
from tests.integration.load import load
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(600)
BUYERS = 16
OPENING = 100_000
BEFORE = 100  # orders
AFTER = 50


@pytest.mark.parametrize("politely", [True, False])
async def test_a_shop_that_ends_under_load_goes_on_where_it_was(
    battered: Whole, politely: bool
) -> None:
    keys = cells_of_owners(battered, 2)
    (lapsing,) = cells_of_owners(battered, 1)[:1]
    async with Caller(battered) as caller:
        await caller.furnish({lapsing: OPENING})
        async with load(battered, keys, BUYERS, OPENING) as orders:
            await orders.more(BEFORE)
            lapsed = await caller.reserve(new_id(), (*lapsing, 2), ttl=1)
            assert is_held(lapsed)
            await asyncio.to_thread(battered.stop if politely else battered.kill)
            await asyncio.to_thread(battered.start)
            await orders.more(AFTER)
        async with books_of(battered) as books:
            await orders.prove(books, OPENING)
            assert (await caller.ask(FIND, id=lapsed["id"]))["state"] == "EXPIRED"
            await books.closed([lapsed["id"]])
            await books.balance([lapsing])
            assert (await books.cell(lapsing))["available"] == OPENING
    audited = await asyncio.to_thread(battered.run, "audit")
    assert audited.returncode == 0, audited.stdout + audited.stderr
