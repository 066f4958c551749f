"""Accounts, roles and keys in a real database: who may do what to whom, and what it leads to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.access import Caller, Grant, Permission, Role, Scope
from domain.refusals import Conflict, Invalid, InvalidCredentials, NotPermitted
from infra.database import close_database, open_database
from infra.identity_models import Person, PersonGrant
from infra.outage import Outage
from services import account, people_acts
from services.account import ChangePassword, SignedOut
from services.api_keys import api_keys
from services.granting import GrantRole
from services.identify import identify, key_subject
from services.people import CreateUser, User, users
from services.sessions import SignIn, sign_in
from tests.actors.world import rid
from tests.integration.people import (
    ADMIN,
    ANALYST,
    ANN,
    BOB,
    GOOD,
    KEY,
    OTHER,
    OWNER,
    People,
    good,
    holder,
    issued,
    people,
    session_of,
)

BERLIN = Scope(warehouses=frozenset({"BER"}))
NEW_BOB = CreateUser(rid(1), BOB, "Bob", GOOD)
NO_PORT = 1  # nobody listens there
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
async def here(people_url: str) -> AsyncIterator[People]:
    async with people(people_url) as opened:
        yield opened


@pytest.fixture
async def ann(here: People) -> Caller:
    return await holder(here, ANN, OWNER)


async def test_an_account_is_made_once_and_signs_in_to_change_its_password(
    here: People, ann: Caller
) -> None:
    made = good(User, await people_acts.create_user(here.rt, ann, NEW_BOB))
    assert (made.email, made.must_change_password, made.grants) == (BOB, True, ())
    assert await people_acts.create_user(here.rt, ann, NEW_BOB) == made
    await people_acts.grant_role(here.rt, ann, GrantRole(rid(2), made.id, ANALYST))
    session = await session_of(here, BOB)
    bob = good(Caller, await identify(here.rt, session.access_token))
    assert session.must_change_password
    assert bob == Caller(BOB, (), made.id)
    changed = await account.change_password(
        here.rt, bob, ChangePassword(GOOD, OTHER, session.refresh_token)
    )
    assert changed == SignedOut(0)
    assert await identify(here.rt, session.access_token) == Caller(BOB, (ANALYST,), made.id)
    assert await sign_in(here.rt, SignIn(BOB, GOOD)) == InvalidCredentials()
    assert not (await session_of(here, BOB, OTHER)).must_change_password


async def test_one_address_has_one_account_and_one_id_one_content(
    here: People, ann: Caller
) -> None:
    await people_acts.create_user(here.rt, ann, NEW_BOB)
    other = replace(NEW_BOB, id=rid(3))
    taken = await people_acts.create_user(here.rt, ann, other)
    assert taken == Invalid("email", "has an account already")
    named = replace(NEW_BOB, name="Robert")
    assert await people_acts.create_user(here.rt, ann, named) == Conflict(rid(1))


async def test_the_same_account_made_many_times_at_once_is_one(here: People, ann: Caller) -> None:
    doing = (people_acts.create_user(here.rt, ann, NEW_BOB) for _ in range(6))
    answers = await asyncio.gather(*doing)
    assert len({good(User, answer) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "bob"}, "email"),
        ({"name": ""}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "bob@shop.example"}, "password"),
    ],
)
async def test_what_is_wrong_with_an_account_is_named(
    here: People, ann: Caller, change: dict[str, Any], field: str
) -> None:
    answer = await people_acts.create_user(here.rt, ann, replace(NEW_BOB, **change))
    assert good(Invalid, answer).field == field


async def test_without_the_permission_nothing_is_done_and_nobody_is_seen(here: People) -> None:
    bob = await holder(here, BOB, ANALYST)
    no = NotPermitted(Permission.WRITE_USERS)
    assert await people_acts.create_user(here.rt, bob, replace(NEW_BOB, email=ANN)) == no
    assert await people_acts.grant_role(here.rt, bob, GrantRole(rid(2), rid(9), ANALYST)) == no
    assert await people_acts.revoke_role(here.rt, bob, rid(2)) == no
    assert await people_acts.set_active(here.rt, bob, rid(9), False) == no
    assert await people_acts.set_password(here.rt, bob, rid(9), OTHER) == no
    assert await users(here.rt, bob, 10, None) == NotPermitted(Permission.READ_USERS)
    assert await people_acts.create_key(here.rt, bob, KEY) == NotPermitted(Permission.WRITE_KEYS)
    assert await people_acts.revoke_key(here.rt, bob, rid(9)) == NotPermitted(Permission.WRITE_KEYS)
    assert await api_keys(here.rt, bob, 10, None) == NotPermitted(Permission.READ_KEYS)


async def test_a_role_is_given_once_and_taken_away(here: People, ann: Caller) -> None:
    bob = await holder(here, BOB)
    assert bob.person is not None
    command = GrantRole(rid(2), bob.person, Grant(Role.WAREHOUSE, BERLIN))
    given = good(User, await people_acts.grant_role(here.rt, ann, command))
    assert [(held.id, held.grant) for held in given.grants] == [(rid(2), command.grant)]
    assert await people_acts.grant_role(here.rt, ann, command) == given
    wider = replace(command, grant=Grant(Role.WAREHOUSE))
    assert await people_acts.grant_role(here.rt, ann, wider) == Conflict(rid(2))
    token = (await session_of(here, BOB)).access_token
    assert await identify(here.rt, token) == Caller(BOB, (command.grant,), bob.person)
    for _ in range(2):
        taken = good(User, await people_acts.revoke_role(here.rt, ann, rid(2)))
        assert taken.grants == ()
    assert await identify(here.rt, token) == Caller(BOB, (), bob.person)


async def test_nobody_gives_or_takes_more_than_they_have(here: People, ann: Caller) -> None:
    bob = await holder(here, BOB, ADMIN)
    carl = await holder(here, "carl@shop.example")
    assert ann.person is not None
    assert bob.person is not None
    assert carl.person is not None
    no = NotPermitted("grant:owner")
    (grant,) = await PersonGrant.filter(person_id=ann.person)
    assert await people_acts.grant_role(here.rt, bob, GrantRole(rid(2), bob.person, OWNER)) == no
    assert await people_acts.revoke_role(here.rt, bob, grant.id) == no
    assert await people_acts.set_password(here.rt, bob, ann.person, OTHER) == no
    assert await people_acts.set_active(here.rt, bob, ann.person, False) == no
    owner_key = replace(KEY, grants=(OWNER,))
    assert await people_acts.create_key(here.rt, bob, owner_key) == no
    given = await people_acts.grant_role(here.rt, bob, GrantRole(rid(2), carl.person, ADMIN))
    assert good(User, given).grants[0].granted_by == BOB


async def test_the_last_owner_stays_whatever_is_tried(here: People, ann: Caller) -> None:
    assert ann.person is not None
    (grant,) = await PersonGrant.filter(person_id=ann.person)
    refusal = "is the last owner of the shop"
    assert await people_acts.revoke_role(here.rt, ann, grant.id) == Invalid("id", refusal)
    closed = await people_acts.set_active(here.rt, ann, ann.person, False)
    assert closed == Invalid("userId", refusal)
    nobody = await holder(here, BOB, OWNER)
    await Person.filter(id=nobody.person).update(is_active=False)
    assert await people_acts.revoke_role(here.rt, ann, grant.id) == Invalid("id", refusal)


async def test_of_two_owners_who_remove_each_other_at_once_one_stays(
    here: People, ann: Caller
) -> None:
    bob = await holder(here, BOB, OWNER)
    assert ann.person is not None
    assert bob.person is not None
    await asyncio.gather(
        people_acts.set_active(here.rt, ann, bob.person, False),
        people_acts.set_active(here.rt, bob, ann.person, False),
    )
    assert await Person.filter(is_active=True).count() == 1


async def test_a_closed_account_is_nobody_at_once(here: People, ann: Caller) -> None:
    bob = await holder(here, BOB, ADMIN)
    assert bob.person is not None
    session, key = await session_of(here, BOB), await issued(here, bob)
    assert await identify(here.rt, session.access_token) == bob
    await people_acts.set_active(here.rt, ann, bob.person, False)
    assert await identify(here.rt, session.access_token) is None
    assert await identify(here.rt, key) is None
    assert await sign_in(here.rt, SignIn(BOB, GOOD)) == InvalidCredentials()
    await people_acts.set_active(here.rt, ann, bob.person, True)
    await session_of(here, BOB)
    assert await identify(here.rt, session.access_token) is None


async def test_a_password_set_for_somebody_ends_their_sessions_and_is_theirs_to_change(
    here: People, ann: Caller
) -> None:
    bob = await holder(here, BOB, ANALYST)
    assert bob.person is not None
    before = await session_of(here, BOB)
    await people_acts.set_password(here.rt, ann, bob.person, OTHER)
    assert await identify(here.rt, before.access_token) is None
    after = await session_of(here, BOB, OTHER)
    assert good(Caller, await identify(here.rt, after.access_token)).grants == ()
    own = await people_acts.set_password(here.rt, ann, ann.person or rid(0), OTHER)
    assert good(Invalid, own).field == "userId"


async def test_a_password_is_changed_only_by_who_knows_it(here: People, ann: Caller) -> None:
    wrong = ChangePassword(OTHER, "nine loud drums at dawn")
    assert await account.change_password(here.rt, ann, wrong) == InvalidCredentials()
    weak = await account.change_password(here.rt, ann, ChangePassword(GOOD, "Password1234!"))
    assert good(Invalid, weak).field == "newPassword"
    same = await account.change_password(here.rt, ann, ChangePassword(GOOD, GOOD))
    assert good(Invalid, same).field == "newPassword"
    machine = replace(ann, subject=key_subject(rid(1)))
    no = NotPermitted(account.OWN_ACCOUNT)
    assert await account.change_password(here.rt, machine, ChangePassword(GOOD, OTHER)) == no
    assert await account.sign_out_everywhere(here.rt, machine) == no
    assert await account.sign_out_everywhere(here.rt, Caller("dev", (OWNER,))) == no


async def test_a_changed_password_ends_the_other_sessions(here: People, ann: Caller) -> None:
    kept, other = await session_of(here, ANN), await session_of(here, ANN)
    command = ChangePassword(GOOD, OTHER, kept.refresh_token)
    assert await account.change_password(here.rt, ann, command) == SignedOut(1)
    assert await account.change_password(here.rt, ann, command) == InvalidCredentials()
    assert await identify(here.rt, other.access_token) is None
    assert await identify(here.rt, kept.access_token) == ann


async def test_signing_out_ends_this_session_or_all(here: People, ann: Caller) -> None:
    one, two, three = [await session_of(here, ANN) for _ in range(3)]
    assert await account.sign_out(here.rt, ann, one.refresh_token) == SignedOut(1)
    assert await account.sign_out(here.rt, ann, one.refresh_token) == SignedOut(0)
    assert await identify(here.rt, one.access_token) is None
    assert await identify(here.rt, two.access_token) == ann
    bob = await holder(here, BOB)
    assert await account.sign_out(here.rt, bob, two.refresh_token) == InvalidCredentials()
    assert await account.sign_out_everywhere(here.rt, ann) == SignedOut(2)
    assert await identify(here.rt, three.access_token) is None


async def test_lists_are_the_newest_first_and_by_page(here: People, ann: Caller) -> None:
    for number in range(3):
        here.clock.tick(seconds=1)
        user = replace(NEW_BOB, id=rid(number), email=f"p{number}@shop.example", password=None)
        await people_acts.create_user(here.rt, ann, user)
        await issued(here, ann, replace(KEY, id=rid(70 + number), name=f"key {number}"))
    first = await users(here.rt, ann, 3, None)
    assert not isinstance(first, NotPermitted)
    assert [user.id for user in first.items] == [rid(2), rid(1), rid(0)]
    rest = await users(here.rt, ann, 3, first.cursors[-1])
    assert not isinstance(rest, NotPermitted)
    assert ([user.email for user in rest.items], rest.has_next) == ([ANN], False)
    keys = await api_keys(here.rt, ann, 2, None)
    assert not isinstance(keys, NotPermitted)
    assert ([key.name for key in keys.items], keys.has_next) == (["key 2", "key 1"], True)


async def test_a_database_that_is_away_is_an_outage_and_not_a_no(here: People, ann: Caller) -> None:
    token = (await session_of(here, ANN)).access_token
    assert await identify(here.rt, token) == ann
    await close_database()
    await open_database(f"postgresql://nobody@127.0.0.1:{NO_PORT}/nothing")
    for shown in (token, f"ohk_abcdefgh23_{'s' * 43}"):
        with pytest.raises(Outage):
            await identify(here.rt, shown)


async def test_an_access_token_of_another_shop_is_nobody(here: People, ann: Caller) -> None:
    token = (await session_of(here, ANN)).access_token
    settings = replace(here.rt.settings, secret_key="another key that is long enough for it")
    assert await identify(replace(here.rt, settings=settings), token) is None
    assert await identify(here.rt, "x" * 5_000) is None
    assert await identify(here.rt, f"ohk_abcdefgh23_{'s' * 43}") is None


async def test_a_change_of_the_password_whose_answer_was_lost_is_answered_again(
    here: People,
) -> None:
    ann = await holder(here, ANN)
    await session_of(here, ANN)
    kept = (await session_of(here, ANN)).refresh_token
    command = ChangePassword(GOOD, OTHER, kept, rid(9))
    for _ in range(2):
        assert await account.change_password(here.rt, ann, command) == SignedOut(1)
    third = "nine loud drums at dawn"
    for other in (replace(command, new=third), replace(command, id=rid(8))):
        assert await account.change_password(here.rt, ann, other) == InvalidCredentials()
    newer = ChangePassword(OTHER, third, kept, rid(10))
    assert await account.change_password(here.rt, ann, newer) == SignedOut(0)
    assert await account.change_password(here.rt, ann, command) == InvalidCredentials()
