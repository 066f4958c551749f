"""The owners on a real PostgreSQL: what the store in memory claims of it is true."""

import asyncio
from uuid import UUID

import pytest

from actors.drain import Owner
from actors.store import PostgresStore
from actors.sweep import STRANDED_PAUSE, Sweep
from actors.wire import Done, Elsewhere, Failed
from domain.commands import Confirm, Deduct, Release, Request, Reserve, Withdraw
from domain.ledger import Note
from domain.refusals import Conflict, InsufficientStock
from infra.cells import FIRST_HOLD
from services.outcomes import handed_over, home_of, was_begun
from tests.actors.world import (
    BERLIN,
    NOON,
    PARIS,
    ROME,
    TTL,
    ask,
    available,
    hold_of,
    on,
    one,
    only,
    receive,
    reserve,
    rid,
    settled,
)
from tests.integration.services.books import Books
from tests.services.world import Shop


@pytest.fixture
def owner(shop: Shop) -> Owner:
    return shop.owners[0]


@pytest.fixture
def other(shop: Shop) -> Owner:
    """It may get the same cells: then two owners are at work on them."""
    return shop.owners[1]


async def test_two_owners_of_one_cell_are_kept_apart_by_the_fence(
    owner: Owner, other: Owner, books: Books
) -> None:
    await one(owner, receive(1, 30))
    asked = [(owner if n % 2 else other).submit([reserve(100 + n, 1)]) for n in range(60)]
    replies = [reply for (reply,) in await asyncio.gather(*asked)]
    assert sum(isinstance(reply, Done) for reply in replies) == 30
    assert sum(isinstance(reply, InsufficientStock) for reply in replies) == 30
    assert await books.kinds(BERLIN) == ["receive 30"] + ["reserve 1"] * 30
    await books.balance()


async def test_one_id_in_two_owners_at_once_has_one_effect(
    owner: Owner, other: Owner, books: Books
) -> None:
    pairs = [
        (owner.submit([receive(n, 10)]), other.submit([receive(n, 20, PARIS)]))
        for n in range(1, 20)
    ]
    done = 0
    for pair in pairs:
        replies = [reply for (reply,) in await asyncio.gather(*pair)]
        done += sum(isinstance(reply, Done) for reply in replies)
        assert {type(reply) for reply in replies} == {Done, Conflict}
    kinds = [*await books.kinds(BERLIN), *await books.kinds(PARIS)]
    assert len(kinds) == done == 19
    await one(owner, reserve(50, 1))
    assert await one(other, reserve(50, 1, PARIS)) in (Elsewhere(), Conflict(rid(50)))


BAD = [
    receive(2, 5)._replace(note=Note("ann", "NUL \0")),
    receive(2, 5)._replace(note=Note("ann", "half a pair \ud800")),
    receive(2, 5)._replace(note=Note("ann", "long " * 100)),
    receive(2, 5)._replace(fingerprint=2**70),
    receive(2, 5, BERLIN._replace(sku="NUL \0")),
    receive(2, 5, BERLIN._replace(sku="half a pair \ud800")),
]


@pytest.mark.parametrize("bad", BAD)
async def test_a_request_that_the_database_does_not_take_fails_alone(
    owner: Owner, books: Books, bad: Request
) -> None:
    replies = await owner.submit([receive(1, 5), bad, reserve(3, 2)])
    assert replies[1] == Failed("INTERNAL", "internal error")
    assert hold_of(replies[2]).available_after == 3
    assert available(await one(owner, receive(4, 1))) == 4
    await books.balance()


async def test_first_answers_survive_everything(owner: Owner, other: Owner) -> None:
    await one(owner, receive(1, 10))
    first = hold_of(await one(owner, reserve(2, 3)))
    await one(owner, on(Confirm, 2))
    part = ask(8, (BERLIN, Deduct(rid(2), 1)))
    handed = hold_of(await one(owner, part))
    await one(owner, on(Release, 2))
    for each in (owner, other):
        assert hold_of(await one(each, reserve(2, 3))) == first
        assert hold_of(await one(each, part)) == handed
        assert await one(each, reserve(2, 3, content=9)) == Conflict(rid(2))


async def test_the_first_answer_outlives_owner_and_deadline(
    owner: Owner, other: Owner, books: Books
) -> None:
    """One reservation by the short road and one by the long, which speaks of a document: both are
    told from the ledger, as they were made, although they are paid by now."""
    await one(owner, receive(1, 30))
    usual, noted = reserve(2, 4), reserve(3, 5)._replace(note=Note("ann", "order 7"))
    first = [await one(owner, usual), await one(owner, noted)]
    assert [hold_of(reply).deadline for reply in first] == [NOON + TTL, NOON + TTL]
    assert isinstance(await one(owner, on(Confirm, 2)), Done)
    assert isinstance(await one(owner, on(Confirm, 3)), Done)
    again = await other.submit([usual, noted])
    assert [only(reply) for reply in again] == [only(r)._replace(fresh=False) for r in first]
    assert await one(other, reserve(2, 4, content=1)) == Conflict(rid(2))
    assert await books.kinds(BERLIN) == ["receive 30", "reserve 4", "reserve 5"]


async def test_what_is_made_and_changed_in_one_batch_is_written_as_it_ended(
    owner: Owner, books: Books
) -> None:
    await one(owner, receive(1, 30))
    replies = await owner.submit(
        [reserve(2, 4), reserve(3, 4), on(Confirm, 2), on(Release, 3), reserve(4, 1)]
    )
    assert all(isinstance(reply, Done) for reply in replies)
    states = [await books.states(rid(number)) for number in (2, 3, 4)]
    assert states == [{BERLIN: "confirmed"}, {BERLIN: "released"}, {BERLIN: "held"}]
    await books.balance()


async def test_withdraw_and_reserve_again_in_every_order(owner: Owner, books: Books) -> None:
    await one(owner, receive(1, 10))
    frame = [reserve(2, 3), on(Withdraw, 2), reserve(2, 3), reserve(2, 3), on(Withdraw, 2)]
    assert all(isinstance(reply, Done) for reply in await owner.submit(frame))
    assert await books.states(rid(2)) == {}
    assert not await was_begun(rid(2))
    again = await owner.submit([on(Withdraw, 2), reserve(2, 4, content=1), on(Confirm, 2)])
    assert all(isinstance(reply, Done) for reply in again)
    assert await books.states(rid(2)) == {BERLIN: "confirmed"}
    await books.balance()


async def test_cells_come_back_as_they_were(owner: Owner, books: Books) -> None:
    await owner.submit([receive(1, 10), reserve(2, 3), reserve(3, 2), on(Release, 3)])
    known = owner.host.peek(BERLIN)
    assert known is not None
    loaded = (await owner.store.load_cells([BERLIN], NOON))[BERLIN]
    for field in ("id", "version", "seq", "floor", "units", "pools", "holds", "as_of"):
        assert getattr(loaded, field) == getattr(known, field), field
    closed = await owner.store.load_holds([(rid(3), known.id), (rid(9), known.id)])
    assert [hold.state.value for hold in closed.values()] == ["released"]


async def test_overdue_holds_are_found_the_oldest_first(owner: Owner) -> None:
    await one(owner, receive(1, 10))
    for number, seconds in ((2, 30), (3, 10), (4, 20), (5, 40)):
        deadline = NOON + TTL * 0 + TTL * seconds / 600
        await one(owner, ask(number, (BERLIN, Reserve(rid(number), 1, deadline))))
    await one(owner, on(Confirm, 4))
    found = await owner.store.load_due(NOON + TTL * 30 / 600, 10)
    assert found == [(BERLIN, rid(3)), (BERLIN, rid(2))]
    assert len(await owner.store.load_due(NOON + TTL, 1)) == 1


async def stranded_holds(owner: Owner) -> None:
    """Of reservations 2 to 7 Berlin is confirmed; Paris is too of 3, released of 4, handed over of
    5, still held of 6 and expired of 7; 2 has no other hold, 8 is confirmed in Berlin and Rome, and
    expired in Paris."""
    await owner.submit([receive(91, 50), receive(92, 50, PARIS), receive(93, 50, ROME)])
    for number in range(2, 9):
        places = {2: (BERLIN,), 8: (BERLIN, PARIS, ROME)}.get(number, (BERLIN, PARIS))
        lines = [(cell, Reserve(rid(number), 1, NOON + TTL)) for cell in places]
        await one(owner, ask(number, *lines))
        await one(owner, on(Confirm, number))
    await owner.submit([on(Confirm, 3, PARIS), on(Release, 4, PARIS), on(Confirm, 8, ROME)])
    await one(owner, ask(55, (PARIS, Deduct(rid(5), None))))
    for key, number in ((PARIS, 7), (PARIS, 8)):
        cell = owner.host.peek(key)
        assert cell is not None
        cell.holds[rid(number)] = cell.holds[rid(number)]._replace(deadline=NOON)
        owner.end([(key, rid(number))])
    await settled(owner)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_stranded_holds_are_found_page_by_page(owner: Owner, limit: int) -> None:
    await stranded_holds(owner)
    found = []
    after: tuple[UUID, int] | None = FIRST_HOLD
    pages = 0
    while after is not None:
        page, after = await owner.store.load_stranded(after, limit)
        found += page
        pages += 1
    assert sorted((key.warehouse, rid.int) for key, rid in found) == [
        ("BERLIN", 4),
        ("BERLIN", 7),
        ("BERLIN", 8),
        ("ROME", 8),
    ]
    assert pages == 9 // limit + 1


async def test_the_sweep_gives_stranded_holds_back(owner: Owner, shop: Shop, books: Books) -> None:
    await stranded_holds(owner)
    sweep = Sweep(owner, PostgresStore(), shop.clock, lambda key: True)
    await sweep.look()
    await settled(owner)
    assert await books.states(rid(8)) == {BERLIN: "released", PARIS: "expired", ROME: "released"}
    assert (await books.states(rid(7)))[BERLIN] == "released"
    assert (await books.states(rid(3))) == {BERLIN: "confirmed", PARIS: "confirmed"}
    assert (await books.states(rid(6))) == {BERLIN: "confirmed", PARIS: "held"}
    shop.clock.time += STRANDED_PAUSE
    assert (await owner.store.load_stranded(FIRST_HOLD, 100))[0] == []
    await books.balance()
    assert isinstance(sweep.store, PostgresStore)
    await sweep.store.close()


async def test_what_a_request_has_begun_is_known(owner: Owner, other: Owner) -> None:
    await owner.submit([receive(1, 10), receive(2, 10, PARIS)])
    lines = [(cell, Reserve(rid(3), 5, NOON + TTL)) for cell in (BERLIN, PARIS)]
    await one(owner, ask(3, *lines, home=PARIS))
    assert await home_of(rid(3)) == PARIS
    assert await home_of(rid(4)) is None
    assert (await was_begun(rid(3)), await was_begun(rid(4))) == (True, False)
    await one(owner, ask(4, (BERLIN, Deduct(rid(3), 2)), (PARIS, Deduct(rid(3), 1)), home=PARIS))
    await one(owner, ask(5, (BERLIN, Deduct(rid(3), 1))))
    assert list((await handed_over(rid(4), rid(3))).items()) == [(PARIS, 1), (BERLIN, 2)]
    assert await handed_over(rid(6), rid(3)) == {}
