"""Passwords: which are refused, and how the others are kept."""

import asyncio

import pytest

from infra.outage import Outage
from infra.passwords import LONGEST, WAITING_LIMIT, Costs, Passwords, weakness

GOOD = "three grey otters at noon"
CHEAP = Costs(memory_kib=8, passes=1)


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(CHEAP)


@pytest.mark.parametrize("password", [GOOD, "tr0ub4dor&3xyz", "é" * 3 + GOOD, GOOD * 4])
def test_a_password_that_is_hard_to_guess_is_taken(password: str) -> None:
    assert weakness(password, ["ann@shop.example"]) is None


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Xk4#p9Qz!7v", "at least 12"),
        ("x" * (LONGEST + 1), "at most 256"),
        (GOOD + "\ud800", "Unicode"),
        ("Password1234!", "tried first"),
        ("qwertyuiop12", "tried first"),
        ("aaaaaaaaaaaaaaaa", "tried first"),
        ("onhandonhand", "tried first"),
        ("ann@shop.example", "tried first"),
    ],
)
def test_a_password_that_is_short_or_guessed_first_is_refused(password: str, why: str) -> None:
    assert why in (weakness(password, ["ann@shop.example", "ann"]) or "")


async def test_only_the_right_password_is_right(passwords: Passwords) -> None:
    kept = await passwords.hashed(GOOD)
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept
    assert await passwords.is_right(kept, GOOD)
    assert not await passwords.is_right(kept, GOOD + " ")
    assert not await passwords.is_right(kept, "x" * (LONGEST + 1))


async def test_the_same_password_is_kept_differently_each_time(passwords: Passwords) -> None:
    assert await passwords.hashed(GOOD) != await passwords.hashed(GOOD)


async def test_where_nothing_is_kept_nothing_is_right_and_it_is_worked_for(
    passwords: Passwords,
) -> None:
    assert not await passwords.is_right(None, GOOD)
    assert passwords.nobodys is not None
    assert not await passwords.is_right("not a hash", GOOD)


async def test_a_hash_with_other_costs_is_outdated(passwords: Passwords) -> None:
    kept = await passwords.hashed(GOOD)
    assert not passwords.is_outdated(kept)
    assert Passwords(CHEAP._replace(passes=2)).is_outdated(kept)


async def test_too_many_at_once_are_told_to_ask_again(passwords: Passwords) -> None:
    asked = [passwords.hashed(GOOD) for _ in range(WAITING_LIMIT + 1)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Outage)]
    assert [outage.code for outage in refused] == ["BUSY"]
    assert isinstance(await passwords.hashed(GOOD), str)
