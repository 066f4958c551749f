"""A process that dies at any step of a use case: the same call again finishes it, and what nobody
finishes leaves nothing behind."""

from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from actors.host import Recent
from actors.sweep import STRANDED_PAUSE, Sweep
from domain.refusals import InsufficientStock, Refusal
from domain.routing import Want
from infra.database import LOST
from infra.outage import Outage
from services.fulfil import confirm, deduct, release
from services.reservations import DeductReservation, Reservation, ReserveStock
from services.reserve import reserve
from services.runtime import Runtime
from services.stock import ReceiveStock, receive
from tests.actors.world import settled
from tests.integration.services.books import Books
from tests.services.world import (
    ADMIN,
    FAR,
    HERE,
    NEXT_TO_HERE,
    STOREFRONT,
    THERE,
    Process,
    Shop,
    anywhere,
    order,
    placed,
    reservation,
    want,
)

CELLS = (HERE, NEXT_TO_HERE, THERE, FAR)
TTL = 60
NAMED = tuple(want(cell, 2) for cell in CELLS)
SPLIT = (anywhere("TEA", 250), want(NEXT_TO_HERE, 1))
"""No warehouse has 250 of TEA: they come from three owners."""

Work = Callable[[Runtime], Awaitable[Reservation | Refusal]]


async def fill(shop: Shop) -> None:
    for cell in CELLS:
        await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, 100))


def process(shop: Shop) -> Runtime:
    """Another process, that knows nothing of what others did."""
    return shop.runtime(Process(None))


async def die_everywhere(
    shop: Shop,
    prepare: Callable[[int], Awaitable[Work]],
    check: Callable[[int, Work], Awaitable[None]],
) -> int:
    """Does the work with a death at step 0, 1, 2... each time with other ids, until one survives;
    how many died."""
    for steps in count():
        work = await prepare(steps)
        if not await shop.dying(steps, work):
            return steps
        await check(steps, work)
    raise AssertionError


async def free_all(shop: Shop, number: int) -> None:
    await release(process(shop), ADMIN, order(number, *NAMED).id)


def asked(number: int, lines: tuple[Want, ...]) -> ReserveStock:
    return order(number + 100, *lines, ttl_seconds=TTL)


@pytest.mark.parametrize("lines", [NAMED, SPLIT])
async def test_a_reserve_that_died_is_finished_by_the_same_call(
    shop: Shop, books: Books, lines: tuple[Want, ...]
) -> None:
    await fill(shop)
    total = sum(line.quantity for line in lines)

    async def prepare(number: int) -> Work:
        return lambda rt: reserve(rt, STOREFRONT, asked(number, lines))

    async def check(number: int, work: Work) -> None:
        answer = await work(process(shop))
        assert sum(placed(answer).values()) == total
        assert await books.held(asked(number, lines).id) == placed(answer)
        assert await work(process(shop)) == answer
        await free_all(shop, number + 100)
        await books.balance()

    assert await die_everywhere(shop, prepare, check) == 6
    await books.balance()


@pytest.mark.parametrize("lines", [NAMED, SPLIT])
async def test_a_reserve_that_died_and_nobody_finished_leaves_nothing(
    shop: Shop, books: Books, lines: tuple[Want, ...]
) -> None:
    await fill(shop)

    async def prepare(number: int) -> Work:
        return lambda rt: reserve(rt, STOREFRONT, asked(number, lines))

    async def check(number: int, work: Work) -> None:
        await shop.tick(seconds=TTL)
        assert [await books.units(cell) for cell in CELLS] == [(100, 0)] * 4
        await books.balance()

    assert await die_everywhere(shop, prepare, check) == 6


async def test_a_retry_within_the_deadline_of_what_was_placed_finishes_it(shop: Shop) -> None:
    await fill(shop)
    command = asked(1, NAMED)
    await shop.dying(3, lambda rt: reserve(rt, STOREFRONT, command))
    shop.clock.tick(seconds=TTL - 1)
    answer = reservation(await reserve(process(shop), STOREFRONT, command))
    assert (answer.state, len(answer.lines)) == ("held", 4)


async def test_a_retry_after_the_deadline_of_what_was_placed_says_that_it_has_expired(
    shop: Shop, books: Books
) -> None:
    await fill(shop)
    command = asked(1, NAMED)
    await shop.dying(3, lambda rt: reserve(rt, STOREFRONT, command))
    shop.clock.tick(seconds=TTL)
    answer = reservation(await reserve(process(shop), STOREFRONT, command))
    assert (answer.state, answer.expires_at) == ("expired", None)
    await shop.tick(seconds=1)
    assert await books.held(command.id) == {}
    await books.balance()


async def test_a_refused_reserve_that_died_on_the_way_back_leaves_nothing(
    shop: Shop, books: Books
) -> None:
    await fill(shop)
    lines = tuple(want(cell, 101 if cell == FAR else 2) for cell in CELLS)

    async def prepare(number: int) -> Work:
        return lambda rt: reserve(rt, STOREFRONT, asked(number, lines))

    async def check(number: int, work: Work) -> None:
        assert await work(process(shop)) == InsufficientStock(*FAR, 101, 100)
        await shop.tick(seconds=TTL)
        assert [await books.units(cell) for cell in CELLS] == [(100, 0)] * 4
        await books.balance()

    assert await die_everywhere(shop, prepare, check) == 10


async def reserved(shop: Shop, number: int) -> None:
    placed(await reserve(process(shop), STOREFRONT, asked(number, NAMED)))


async def test_a_confirm_that_died_is_finished_by_the_same_call(shop: Shop, books: Books) -> None:
    await fill(shop)

    async def prepare(number: int) -> Work:
        await reserved(shop, number)
        return lambda rt: confirm(rt, STOREFRONT, asked(number, NAMED).id)

    async def check(number: int, work: Work) -> None:
        assert reservation(await work(process(shop))).state == "confirmed"
        assert set((await books.states(asked(number, NAMED).id)).values()) == {"confirmed"}

    assert await die_everywhere(shop, prepare, check) == 6
    await books.balance()


async def test_a_confirm_that_died_and_nobody_finished_is_swept_away(
    shop: Shop, books: Books
) -> None:
    await fill(shop)
    sweeps = [Sweep(o, o.store, shop.clock, lambda key: True) for o in shop.owners]

    async def prepare(number: int) -> Work:
        await reserved(shop, number)
        return lambda rt: confirm(rt, STOREFRONT, asked(number, NAMED).id)

    async def check(number: int, work: Work) -> None:
        await shop.tick(seconds=TTL)
        shop.clock.time += STRANDED_PAUSE
        for sweep in sweeps:
            await sweep.look()
            await settled(sweep.owner)
        states = set((await books.states(asked(number, NAMED).id)).values())
        assert states in ({"confirmed"}, {"expired"}, {"expired", "released"})
        if states == {"confirmed"}:
            await free_all(shop, number + 100)
        assert [await books.units(cell) for cell in CELLS] == [(100, 0)] * 4
        await books.balance()

    assert await die_everywhere(shop, prepare, check) == 6


async def test_a_release_that_died_is_finished_by_the_same_call(shop: Shop, books: Books) -> None:
    await fill(shop)

    async def prepare(number: int) -> Work:
        await reserved(shop, number)
        return lambda rt: release(rt, STOREFRONT, asked(number, NAMED).id)

    async def check(number: int, work: Work) -> None:
        assert reservation(await work(process(shop))).state == "released"
        assert [await books.units(cell) for cell in CELLS] == [(100, 0)] * 4
        await books.balance()

    assert await die_everywhere(shop, prepare, check) == 6


DEDUCTS: list[tuple[tuple[Want, ...], tuple[Want, ...] | None, int]] = [
    (NAMED, None, 8),
    (NAMED, tuple(want(cell, 1) for cell in CELLS), 4),
    (SPLIT, (anywhere("TEA", 120), anywhere("TEA", 30), want(HERE, 5)), 155),
]


@pytest.mark.parametrize(("lines", "handed", "units"), DEDUCTS)
async def test_a_deduct_that_died_is_finished_by_the_same_call(
    shop: Shop, books: Books, lines: tuple[Want, ...], handed: tuple[Want, ...] | None, units: int
) -> None:
    await fill(shop)

    async def prepare(number: int) -> Work:
        command = asked(number, lines)
        placed(await reserve(process(shop), STOREFRONT, command))
        wanted = DeductReservation(asked(number + 1_000, lines).id, command.id, handed)
        return lambda rt: deduct(rt, ADMIN, wanted)

    async def check(number: int, work: Work) -> None:
        first = reservation(await work(process(shop)))
        assert sum(line.deducted for line in first.lines) == units
        assert await work(process(shop)) == first
        held = await books.held(asked(number, lines).id)
        assert sum(held.values()) == sum(line.quantity for line in lines) - units
        await free_all(shop, number + 100)
        await refill(shop, books)

    assert await die_everywhere(shop, prepare, check) >= 6


async def refill(shop: Shop, books: Books) -> None:
    for cell in CELLS:
        missing = 100 - (await books.units(cell))[0]
        if missing:
            await receive(shop.rt, ADMIN, ReceiveStock(shop.clock.new_id(), *cell, missing))


async def test_an_owner_that_is_started_again_knows_what_was_begun(
    shop: Shop, books: Books
) -> None:
    await fill(shop)
    command = asked(1, NAMED)
    await shop.dying(4, lambda rt: reserve(rt, STOREFRONT, command))
    for owner in shop.owners:
        owner.host.forget([cell.key for cell in list(owner.host.cells())])
        owner.host.recent = Recent()
    answer = await reserve(process(shop), STOREFRONT, command)
    assert placed(answer) == dict.fromkeys(sorted(CELLS), 2)
    await books.balance()


async def test_a_database_that_is_gone_is_an_outage_and_the_same_call_finishes(
    shop: Shop, books: Books
) -> None:
    await fill(shop)
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await books.connection.execute(kill)
    outages = 0
    for _ in range(10):
        try:
            answer = await reserve(process(shop), STOREFRONT, asked(1, NAMED))
            break
        except (Outage, *LOST):
            outages += 1
    assert outages
    assert placed(answer) == dict.fromkeys(sorted(CELLS), 2)
    for cell in CELLS:
        assert (await books.kinds(cell))[1:] == ["reserve 2"]
