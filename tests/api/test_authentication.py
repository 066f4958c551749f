"""The gate: from a header to a caller, looked at again and again."""

import asyncio
from datetime import timedelta

import pytest

from api.authentication import ASKING_LIMIT, TRUST_SECONDS, TRUSTED_LIMIT, Gate
from api.tokens import sign
from domain.access import Caller, Role, everywhere
from infra.outage import Outage
from tests.api.shop import SECRET, StillClock, bearer


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def gate(clock: StillClock) -> Gate:
    return Gate(SECRET, clock)


def forget_trust(gate: Gate) -> None:
    """As if TRUST_SECONDS had passed."""
    gate.trusted = {t: (until - TRUST_SECONDS, c) for t, (until, c) in gate.trusted.items()}


async def test_a_good_token_names_its_caller(gate: Gate) -> None:
    token = bearer(Role.OPERATIONS, "ann")
    assert await gate.caller_of(token) == everywhere("ann", Role.OPERATIONS)
    assert await gate.caller_of(token) == everywhere("ann", Role.OPERATIONS)


async def test_a_token_that_ran_out_is_not_taken_much_longer(gate: Gate, clock: StillClock) -> None:
    token = bearer(Role.OPERATIONS, days=1)
    assert await gate.caller_of(token) is not None
    clock.time += timedelta(days=2)
    forget_trust(gate)
    assert await gate.caller_of(token) is None
    assert await gate.caller_of(token) is None


async def test_a_bad_token_is_never_trusted(gate: Gate) -> None:
    for _ in range(2):
        assert await gate.caller_of(f"Bearer {'x' * 20}") is None
    assert gate.trusted == {}


async def test_what_is_trusted_has_a_bound(gate: Gate, clock: StillClock) -> None:
    for number in range(TRUSTED_LIMIT + 1):
        token = sign(SECRET, str(number), Role.STOREFRONT, 1, clock.now())
        assert await gate.caller_of(f"Bearer {token}") is not None
    assert len(gate.trusted) <= TRUSTED_LIMIT


class Directory:
    """Knows callers by their tokens, is asked one at a time, and can be away."""

    def __init__(self) -> None:
        self.known = {"key": everywhere("till", Role.STOREFRONT)}
        self.is_away = False
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def identify(self, token: str) -> Caller | None:
        self.asked += 1
        await self.answers.wait()
        if self.is_away:
            raise Outage("away")
        return self.known.get(token)


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def door(directory: Directory, clock: StillClock) -> Gate:
    return Gate(SECRET, clock, directory.identify, is_development=False)


async def test_a_key_is_asked_about_once_and_then_trusted_for_a_while(
    door: Gate, directory: Directory
) -> None:
    for _ in range(3):
        assert await door.caller_of("Bearer key") == directory.known["key"]
    assert directory.asked == 1
    del directory.known["key"]
    forget_trust(door)
    assert await door.caller_of("Bearer key") is None
    assert door.trusted == {}


async def test_however_many_show_a_token_at_once_it_is_asked_about_once(
    door: Gate, directory: Directory
) -> None:
    directory.answers.clear()
    waiting = [asyncio.ensure_future(door.caller_of("Bearer key")) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    directory.answers.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert set(answers[1:]) == {directory.known["key"]}
    assert (directory.asked, door.asking) == (1, {})


async def test_who_is_trusted_goes_on_while_the_directory_is_away_and_others_are_told_to_wait(
    door: Gate, directory: Directory
) -> None:
    assert await door.caller_of("Bearer key")
    directory.is_away = True
    assert await door.caller_of("Bearer key")
    forget_trust(door)
    for _ in range(2):
        with pytest.raises(Outage):
            await door.caller_of("Bearer key")
    assert door.asking == {}


async def test_tokens_that_are_asked_about_at_once_have_a_bound(
    door: Gate, directory: Directory
) -> None:
    directory.answers.clear()
    waiting = [
        asyncio.ensure_future(door.caller_of(f"Bearer {number}"))
        for number in range(ASKING_LIMIT + 1)
    ]
    (refused,), _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert isinstance(refused.exception(), Outage)
    directory.answers.set()
    assert await asyncio.gather(*waiting[:-1]) == [None] * ASKING_LIMIT


async def test_production_takes_no_development_token(door: Gate) -> None:
    assert await door.caller_of(bearer(Role.ADMIN)) is None
