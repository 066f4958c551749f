"""The placement as PostgreSQL keeps it: who renews a seat is told of every change by a version, and
a hot pair yields to what was placed before."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from actors.book import PostgresBook
from domain.commands import CellKey
from infra.database import close_database, migrate, open_database
from infra.seats import Address, HeatCounts
from tests.integration.sale_shop import database

TEA = CellKey("TEA", "BERLIN")
CUP = CellKey("CUP", "BERLIN")
HOT, SALE = "hot-TEA@BERLIN", "sale-1"
HOLDER = uuid4()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database(tmp_path_factory.mktemp("placement")) as started:
        yield started


@pytest.fixture
async def book(url: str) -> AsyncIterator[PostgresBook]:
    """With a seat that is held."""
    await migrate(url)
    await open_database(url, 2)
    book = PostgresBook()
    await book.make_shared(["shared-0"])
    assert await book.take(HOLDER, Address("127.0.0.1", 1, b"key")) == "shared-0"
    yield book
    await book.leave(HOLDER)
    await close_database()


async def test_every_change_of_the_placement_has_a_new_version(book: PostgresBook) -> None:
    async def version() -> int:
        found = await book.renew(HOLDER, "shared-0")
        assert found is not None
        return found

    before = await version()
    assert await version() == before
    for change in (
        lambda: book.place([TEA, CUP], SALE),
        lambda: book.unplace([CUP]),
        lambda: book.unplace([TEA]),
        lambda: book.promote(TEA, HOT),
        lambda: book.demote(HOT),
    ):
        await change()
        after = await version()
        assert after > before
        before = after
    assert await book.renew(uuid4(), "shared-0") is None


async def test_a_hot_pair_yields_to_what_was_placed_and_only_its_own_seat_is_given_up(
    book: PostgresBook,
) -> None:
    before = await book.heat_counts()
    assert await book.promote(TEA, HOT)
    assert not await book.promote(TEA, HOT)
    await book.place([TEA, CUP], SALE)
    assert await book.demote(HOT) == []
    assert not await book.promote(CUP, "hot-CUP@BERLIN")
    assert await book.placements() == {TEA: SALE, CUP: SALE}
    await book.unplace([TEA, CUP])
    assert await book.promote(TEA, HOT)
    assert await book.demote(HOT) == [TEA]
    assert await book.heat_counts() == HeatCounts(before.promotions + 2, before.demotions + 1)
