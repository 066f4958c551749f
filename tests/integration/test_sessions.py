"""Signing in, and what becomes of a session, in a real database."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextvars import copy_context
from datetime import timedelta
from typing import Literal
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from domain.lockout import ACCOUNT, ADDRESS
from domain.refusals import InvalidCredentials, LockedOut
from domain.sessions import ACCESS_LIFE, IDLE_LIFE, RETRY
from infra.identity_models import Person, SessionFamily, SignInFailure
from infra.logs import ORIGIN
from infra.passwords import Passwords
from services.session_tokens import Signed, hash_of, read_access_token
from services.sessions import KEPT_AFTER, Refresh, Session, SignIn, end, refresh, sign_in
from tests.actors.world import rid
from tests.integration.people import ANN, CHEAP, GOOD, SECRET, People, people, with_account

SECOND = timedelta(seconds=1)
WRONG = SignIn(ANN, "not the password")
RIGHT = SignIn(ANN, GOOD)


@pytest.fixture
async def here(people_url: str) -> AsyncIterator[People]:
    async with people(people_url) as opened:
        yield opened


async def signed_in(here: People) -> Session:
    session = await sign_in(here.rt, RIGHT)
    assert isinstance(session, Session)
    return session


async def refreshed(here: People, session: Session, number: int) -> Session:
    again = await refresh(here.rt, Refresh(rid(number), session.refresh_token))
    assert isinstance(again, Session)
    return again


def family(here: People, session: Session) -> UUID:
    signed = read_access_token(SECRET, session.access_token, here.clock.now())
    assert signed is not None
    return signed.family


class Counted(PasswordHasher):
    """Argon2 that counts how often it worked, and at what cost."""

    def __init__(self) -> None:
        super().__init__(CHEAP.passes, CHEAP.memory_kib, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return super().verify(hash, password)


@pytest.mark.parametrize("email", [ANN, "nobody@shop.example", "no address", "oidc@shop.example"])
async def test_a_sign_in_costs_one_verification_whoever_is_named(here: People, email: str) -> None:
    await with_account(here)
    await with_account(here, "oidc@shop.example", None)
    counted = Counted()
    here.rt.passwords.hasher = counted
    assert await sign_in(here.rt, SignIn(email, "not the password")) == InvalidCredentials()
    assert counted.verified == ["$argon2id$v=19$m=8,t=1,p=1"]


async def test_the_right_password_gives_tokens_that_name_person_and_family(here: People) -> None:
    ann = await with_account(here)
    session = await sign_in(here.rt, SignIn(" Ann@Shop.example", GOOD))
    assert isinstance(session, Session)
    assert session.access_expires_at == here.clock.now() + ACCESS_LIFE
    assert session.refresh_expires_at == here.clock.now() + IDLE_LIFE
    row = await SessionFamily.get()
    assert read_access_token(SECRET, session.access_token, here.clock.now()) == Signed(
        ann.id, row.id
    )
    assert row.token_hash == hash_of(session.refresh_token)


async def test_an_access_token_ends_by_itself(here: People) -> None:
    await with_account(here)
    session = await signed_in(here)
    assert read_access_token(SECRET, session.access_token, session.access_expires_at) is None
    early = session.access_expires_at - SECOND
    assert read_access_token(SECRET, session.access_token, early)


@pytest.mark.parametrize(
    "wrong",
    [
        WRONG,
        SignIn("bob@shop.example", GOOD),
        SignIn("no address", GOOD),
        SignIn("nul\0@shop.example", GOOD),
        SignIn("half\ud800@shop.example", GOOD),
        SignIn(ANN, ""),
        SignIn(ANN, "\ud800" * 12),
        SignIn(ANN, "x" * 100_000),
        SignIn("closed@shop.example", GOOD),
        SignIn("elsewhere@shop.example", GOOD),
    ],
)
async def test_whatever_is_wrong_gets_the_same_answer(here: People, wrong: SignIn) -> None:
    await with_account(here)
    closed = await with_account(here, "closed@shop.example")
    await Person.filter(id=closed.id).update(is_active=False)
    await with_account(here, "elsewhere@shop.example", password=None)
    assert await sign_in(here.rt, wrong) == InvalidCredentials()
    assert await SessionFamily.all().count() == 0


async def test_guessing_locks_an_account_whether_it_exists_or_not(here: People) -> None:
    await with_account(here)
    for email in (ANN, "nobody@shop.example"):
        guess = SignIn(email, "not the password")
        for _ in range(ACCOUNT.free + 1):
            assert await sign_in(here.rt, guess) == InvalidCredentials()
        until = here.clock.now() + ACCOUNT.first
        assert await sign_in(here.rt, guess) == LockedOut(until)
    assert await sign_in(here.rt, RIGHT) == LockedOut(here.clock.now() + ACCOUNT.first)


async def test_a_lock_ends_and_the_right_password_wipes_the_failures_out(here: People) -> None:
    await with_account(here)
    for _ in range(ACCOUNT.free + 1):
        await sign_in(here.rt, WRONG)
    here.clock.time += ACCOUNT.first
    await signed_in(here)
    assert await SignInFailure.all().count() == 0


async def test_a_crowd_of_guesses_at_once_gets_no_more_than_one_after_the_other(
    here: People,
) -> None:
    await with_account(here)
    asked = (sign_in(here.rt, WRONG) for _ in range(4 * ACCOUNT.free))
    answers = await asyncio.gather(*asked)
    looked_at = [answer for answer in answers if answer == InvalidCredentials()]
    assert len(looked_at) == ACCOUNT.free + 1


async def test_an_address_that_guesses_at_many_accounts_is_locked_and_others_are_not(
    here: People,
) -> None:
    await with_account(here)

    async def from_address(address: str, command: SignIn) -> object:
        ORIGIN.set(address)
        return await sign_in(here.rt, command)

    async def asked(address: str, command: SignIn) -> object:
        return await asyncio.create_task(from_address(address, command), context=copy_context())

    for number in range(ADDRESS.free + 1):
        await asked("2001:db8::1", SignIn(f"p{number}@shop.example", "not the password"))
    assert isinstance(await asked("2001:db8::2", RIGHT), LockedOut)
    assert isinstance(await asked("203.0.113.7", RIGHT), Session)


async def test_an_account_of_ones_own_does_not_wipe_out_what_the_address_failed(
    here: People,
) -> None:
    await with_account(here)
    ORIGIN.set("203.0.113.7")
    await sign_in(here.rt, SignIn("bob@shop.example", "not the password"))
    await signed_in(here)
    assert [row.count for row in await SignInFailure.all()] == [1, 1]


async def test_a_refresh_gives_the_next_token_and_the_old_one_ends_the_family(
    here: People, caplog: pytest.LogCaptureFixture
) -> None:
    await with_account(here)
    first = await signed_in(here)
    here.clock.tick(minutes=9)
    second = await refreshed(here, first, 1)
    assert second.refresh_token != first.refresh_token
    assert second.access_expires_at == here.clock.now() + ACCESS_LIFE
    with caplog.at_level(logging.WARNING):
        stolen = await refresh(here.rt, Refresh(rid(2), first.refresh_token))
    assert stolen == InvalidCredentials()
    assert "used twice" in caplog.text
    assert first.refresh_token not in caplog.text
    again = await refresh(here.rt, Refresh(rid(3), second.refresh_token))
    assert again == InvalidCredentials()
    assert (await SessionFamily.get()).ended_at == here.clock.now()


async def test_the_same_request_again_gets_the_same_answer_for_a_while(here: People) -> None:
    await with_account(here)
    first = await signed_in(here)
    second = await refreshed(here, first, 1)
    here.clock.time += RETRY - SECOND
    assert await refreshed(here, first, 1) == second
    third = await refreshed(here, second, 2)
    assert third.refresh_token != second.refresh_token
    here.clock.time += SECOND
    assert await refresh(here.rt, Refresh(rid(1), first.refresh_token)) == InvalidCredentials()


async def test_the_same_request_many_times_at_once_is_one(here: People) -> None:
    await with_account(here)
    first = await signed_in(here)
    answers = await asyncio.gather(*(refreshed(here, first, 1) for _ in range(8)))
    assert len(set(answers)) == 1
    assert (await SessionFamily.get()).generation == 2


@pytest.mark.parametrize("token", ["", "ohr_", "ohr_AAAA", "é", "x" * 10_000])
async def test_what_is_no_refresh_token_ends_nothing(here: People, token: str) -> None:
    await with_account(here)
    session = await signed_in(here)
    assert await refresh(here.rt, Refresh(rid(1), token)) == InvalidCredentials()
    changed = session.refresh_token[:-1] + ("A" if session.refresh_token[-1] != "A" else "B")
    assert await refresh(here.rt, Refresh(rid(1), changed)) == InvalidCredentials()
    await refreshed(here, session, 2)


async def test_a_session_that_is_not_used_is_over(here: People) -> None:
    await with_account(here)
    session = await signed_in(here)
    here.clock.time += IDLE_LIFE
    assert await refresh(here.rt, Refresh(rid(1), session.refresh_token)) == InvalidCredentials()


async def test_sessions_that_ran_out_long_ago_are_forgotten(here: People) -> None:
    await with_account(here)
    await signed_in(here)
    here.clock.time += IDLE_LIFE + KEPT_AFTER
    await signed_in(here)
    first = await SessionFamily.all().order_by("began_at").first()
    here.clock.time += SECOND
    await signed_in(here)
    left = await SessionFamily.all()
    assert first is not None
    assert (len(left), first.id in {family.id for family in left}) == (2, False)


async def test_all_sessions_but_one_are_ended(here: People) -> None:
    ann = await with_account(here)
    kept, other = await signed_in(here), await signed_in(here)
    assert await end(here.rt, ann.id, but=family(here, kept)) == 1
    assert await refresh(here.rt, Refresh(rid(1), other.refresh_token)) == InvalidCredentials()
    await refreshed(here, kept, 2)


async def test_a_closed_account_refreshes_nothing(here: People) -> None:
    ann = await with_account(here)
    session = await signed_in(here)
    await Person.filter(id=ann.id).update(is_active=False)
    assert await refresh(here.rt, Refresh(rid(1), session.refresh_token)) == InvalidCredentials()


async def test_a_password_is_hashed_anew_when_its_costs_have_changed(here: People) -> None:
    ann = await with_account(here)
    old = Passwords(CHEAP._replace(passes=2))
    await Person.filter(id=ann.id).update(password_hash=await old.hashed(GOOD))
    await signed_in(here)
    kept = (await Person.get(id=ann.id)).password_hash
    assert kept is not None
    assert not here.rt.passwords.is_outdated(kept)
    await signed_in(here)
