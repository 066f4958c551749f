"""Draws on a real PostgreSQL: the limit holds whoever is at work, and a new owner counts what the
old one gave."""

import asyncio

from actors.store import PostgresStore
from actors.wire import Done
from domain.commands import Deduct, Release
from domain.refusals import LimitReached, TicketRequired
from tests.actors.test_draws import POOL, SALE, draw, fresh, given, opened
from tests.actors.world import PARIS, ask, on, one, rid
from tests.integration.services.books import Books
from tests.services.world import Shop


async def test_two_owners_never_give_a_customer_more_than_the_limit(
    shop: Shop, books: Books
) -> None:
    owners = shop.owners[:2]
    await opened(owners[0], PARIS=20, ROME=20)
    asked = [one(owners[n % 2], draw(n, 1, "abc"[n % 3], limit=4)) for n in range(1, 61)]
    replies = await asyncio.gather(*asked)
    assert sum(isinstance(reply, Done) for reply in replies) == 12
    assert {reply for reply in replies if not isinstance(reply, Done)} == {LimitReached(4, 4)}
    tally = (await PostgresStore().load_tallies([POOL]))[POOL]
    assert tally.taken == {"a": 4, "b": 4, "c": 4}
    await books.balance()


async def test_a_new_owner_counts_what_is_held_and_handed_over_and_knows_ids_and_tickets(
    shop: Shop, books: Books
) -> None:
    before, after = shop.owners[:2]
    await opened(before, PARIS=20)
    first = await one(before, draw(1, 3, "ann", limit=3, ticket=501))
    await one(before, ask(50, (PARIS, Deduct(rid(1), 1))))
    await one(before, on(Release, 1, PARIS))
    await one(before, draw(2, 1, "bob", limit=3, ticket=502))
    assert await one(after, draw(3, 3, "ann", limit=3)) == LimitReached(3, 1)
    assert await one(after, draw(4, 1, "cid", limit=3, ticket=502)) == TicketRequired(SALE)
    again = await one(after, draw(1, 3, "ann", limit=3, ticket=501))
    assert (given(again), fresh(again)) == (given(first), {False})
    assert given(await one(after, draw(5, 2, "ann", limit=3))) == {"PARIS": 2}
    await books.balance()


async def test_the_same_id_in_two_owners_at_once_is_one_effect(shop: Shop, books: Books) -> None:
    owners = shop.owners[:2]
    await opened(owners[0], PARIS=20)
    asked = [one(owner, draw(n, 1, str(n))) for n in range(1, 15) for owner in owners]
    replies = await asyncio.gather(*asked)
    assert all(isinstance(reply, Done) for reply in replies)
    assert (await books.kinds(PARIS)).count("reserve 1") == 14
