"""API keys in a real database: what they may, how they change and how they end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.access import CHANNELLED, PERMISSIONS, Caller, Grant, Permission, Role, Scope
from domain.refusals import Conflict, Invalid, NotFound, NotPermitted
from infra.identity_models import ApiKey as KeyRow
from infra.identity_models import PersonGrant
from services import people_acts
from services.api_keys import ApiKey, Issued, RotateApiKey
from services.identify import identify, key_subject
from tests.actors.world import rid
from tests.integration.people import (
    ADMIN,
    ANALYST,
    ANN,
    BOB,
    KEY,
    OWNER,
    People,
    good,
    holder,
    issued,
    people,
)

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
async def here(people_url: str) -> AsyncIterator[People]:
    async with people(people_url) as opened:
        yield opened


@pytest.fixture
async def ann(here: People) -> Caller:
    return await holder(here, ANN, OWNER)


async def test_a_key_is_shown_once_and_is_its_makers(here: People, ann: Caller) -> None:
    first = good(Issued, await people_acts.create_key(here.rt, ann, KEY))
    assert first.secret is not None
    assert first.secret.startswith(f"ohk_{first.api_key.prefix}_")
    again = good(Issued, await people_acts.create_key(here.rt, ann, KEY))
    assert again == Issued(first.api_key, None)
    other = replace(KEY, name="other")
    assert await people_acts.create_key(here.rt, ann, other) == Conflict(KEY.id)
    machine = Caller(key_subject(KEY.id), (ANALYST,), ann.person)
    assert await identify(here.rt, first.secret) == machine
    assert first.secret not in repr(first)
    row = await KeyRow.get()
    assert first.secret not in str({name: getattr(row, name) for name in row._meta.fields})


async def test_a_key_has_no_more_than_its_maker_has_by_then(here: People, ann: Caller) -> None:
    bob = await holder(here, BOB, ADMIN)
    key = await issued(here, bob, replace(KEY, grants=(ADMIN, ANALYST)))
    machine = good(Caller, await identify(here.rt, key))
    assert machine.grants == (ADMIN, ANALYST)
    (grant,) = await PersonGrant.filter(person_id=bob.person)
    await people_acts.revoke_role(here.rt, ann, grant.id)
    assert good(Caller, await identify(here.rt, key)).grants == ()


async def test_a_key_makes_keys_with_no_more_than_it_has(here: People, ann: Caller) -> None:
    key = await issued(here, ann, replace(KEY, grants=(ADMIN,)))
    machine = good(Caller, await identify(here.rt, key))
    more = replace(KEY, id=rid(51), grants=(OWNER,))
    assert await people_acts.create_key(here.rt, machine, more) == NotPermitted("grant:owner")
    less = replace(KEY, id=rid(51), grants=(ANALYST,))
    assert good(Issued, await people_acts.create_key(here.rt, machine, less)).api_key.maker == ANN
    development = Caller("dev", (OWNER,))
    refused = await people_acts.create_key(here.rt, development, replace(KEY, id=rid(52)))
    assert good(Invalid, refused).field == "id"


async def test_a_key_of_a_channel_reaches_that_channel_only(here: People, ann: Caller) -> None:
    shop = Grant(Role.CONNECTOR, Scope(channels=frozenset({"tmall"})))
    key = await issued(here, ann, replace(KEY, grants=(shop,)))
    machine = good(Caller, await identify(here.rt, key))
    assert machine.permissions == frozenset()
    assert machine.scopes[Permission.RESERVE] == (shop.scope,)
    assert set(machine.scopes) == CHANNELLED & PERMISSIONS[Role.CONNECTOR]


async def test_a_rotated_key_overlaps_with_what_it_was_and_stays_the_same_caller(
    here: People, ann: Caller
) -> None:
    before = await issued(here, ann)
    rotate = RotateApiKey(rid(60), KEY.id, DAY)
    turned = good(Issued, await people_acts.rotate_key(here.rt, ann, rotate))
    assert turned.secret is not None
    assert turned.api_key.previous_until == here.clock.now() + DAY
    assert good(Issued, await people_acts.rotate_key(here.rt, ann, rotate)).secret is None
    machine = Caller(key_subject(KEY.id), (ANALYST,), ann.person)
    assert await identify(here.rt, before) == await identify(here.rt, turned.secret) == machine
    here.clock.time += DAY
    assert await identify(here.rt, before) is None
    assert await identify(here.rt, turned.secret) == machine
    long = replace(rotate, id=rid(61), overlap=timedelta(days=31))
    assert good(Invalid, await people_acts.rotate_key(here.rt, ann, long)).field == "overlapSeconds"


async def test_a_revoked_or_expired_key_is_nobody(here: People, ann: Caller) -> None:
    key = await issued(here, ann, replace(KEY, expires_at=here.clock.now() + DAY))
    here.clock.time += DAY - SECOND
    assert await identify(here.rt, key)
    here.clock.time += SECOND
    assert await identify(here.rt, key) is None
    command = replace(KEY, id=rid(51))
    other = await issued(here, ann, command)
    for _ in range(2):
        revoked = good(ApiKey, await people_acts.revoke_key(here.rt, ann, command.id))
        assert revoked.revoked_at == here.clock.now()
    assert await identify(here.rt, other) is None
    rotate = RotateApiKey(rid(60), command.id, DAY)
    assert good(Invalid, await people_acts.rotate_key(here.rt, ann, rotate)).field == "keyId"
    missing = await people_acts.revoke_key(here.rt, ann, rid(99))
    assert missing == NotFound("API key", str(rid(99)))


async def test_when_a_key_was_used_is_kept_to_the_minute(here: People, ann: Caller) -> None:
    key, began = await issued(here, ann), here.clock.now()
    used = []
    for _ in range(3):
        await identify(here.rt, key)
        used.append((await KeyRow.get()).last_used_at)
        here.clock.time += 40 * SECOND
    assert used == [began, began, began + 80 * SECOND]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"grants": ()}, "grants"),
        ({"grants": (Grant(Role.ANALYST, Scope(regions=frozenset())),)}, "grants.0.scope.regions"),
        ({"expires_at": None}, None),
    ],
)
async def test_what_is_wrong_with_a_key_is_named(
    here: People, ann: Caller, change: dict[str, Any], field: str | None
) -> None:
    answer = await people_acts.create_key(here.rt, ann, replace(KEY, **change))
    assert getattr(answer, "field", None) == field
