"""One execution for many."""

import gc

from schema.sharing import SHARED_ANSWERS, SHARED_SECONDS, Shared


class Maker:
    def __init__(self) -> None:
        self.made = 0

    async def __call__(self) -> int:
        self.made += 1
        return self.made


async def test_who_asks_the_same_is_given_the_same() -> None:
    shared, make = Shared[int](), Maker()
    assert [await shared.once("a", make) for _ in range(3)] == [1, 1, 1]
    assert await shared.once("b", make) == 2


async def test_an_answer_is_given_for_a_moment_and_then_made_anew() -> None:
    shared, make = Shared[int](), Maker()
    await shared.once("a", make)
    shared.turned_at -= 1.1 * SHARED_SECONDS
    assert await shared.once("a", make) == 1
    shared.turned_at -= 1.1 * SHARED_SECONDS
    assert await shared.once("a", make) == 2


async def test_after_a_pause_nothing_old_is_given() -> None:
    shared, make = Shared[int](), Maker()
    await shared.once("a", make)
    shared.turned_at -= 10 * SHARED_SECONDS
    assert await shared.once("a", make) == 2


async def test_what_is_remembered_has_a_bound() -> None:
    shared, make = Shared[int](), Maker()
    for key in range(3 * SHARED_ANSWERS):
        await shared.once(key, make)
    assert len(shared.young) + len(shared.old) <= SHARED_ANSWERS


async def test_equal_subscriptions_know_the_event_that_one_of_them_has_answered() -> None:
    shared, make, event = Shared[int](), Maker(), object()
    one, other = shared.subscription("a"), shared.subscription("a")
    assert await one.once(event, make) == 1
    assert other.of(event) == 1
    assert other.of(object()) is None
    assert shared.subscription("b").of(event) is None


async def test_an_equal_event_is_answered_once() -> None:
    shared, make = Shared[int](), Maker()
    subscription = shared.subscription("a")
    assert [await subscription.once((7, "x"), make) for _ in range(2)] == [1, 1]
    assert await shared.subscription("b").once((7, "x"), make) == 2


async def test_an_event_that_was_answered_long_ago_is_answered_anew() -> None:
    shared, event = Shared[int](), object()
    one = shared.subscription("a")
    await one.once(event, Maker())
    one.at -= 1.1 * SHARED_SECONDS
    assert one.of(event) is None


async def test_a_subscription_that_nobody_holds_is_forgotten() -> None:
    shared = Shared[int]()
    await shared.subscription("a").once(object(), Maker())
    gc.collect()
    assert not shared.latest
