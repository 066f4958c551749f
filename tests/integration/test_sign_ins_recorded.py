"""Every sign-in leaves a record, whatever became of it, and none holds what was typed."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from domain.trail import DONE, Record
from services import identity_acts as acts
from services.identify import STRANGER
from services.sessions import Refresh, Session, SignIn
from tests.actors.world import rid
from tests.infra.fake_trail import memory_trail
from tests.integration.people import ANN, GOOD, People, good, people, with_account

WRONG = "not the password"
PASTED = "a password in the wrong field"


@pytest.fixture
async def here(people_url: str) -> AsyncIterator[People]:
    async with people(people_url) as opened:
        yield opened


async def test_sign_ins_are_recorded_good_and_bad_without_what_was_typed(here: People) -> None:
    records: list[Record] = []
    rt = replace(here.rt, trail=memory_trail(records))
    ann = await with_account(here)
    tried = (SignIn(ANN, WRONG), SignIn("nobody@shop.example", WRONG), SignIn(PASTED, WRONG))
    for command in tried:
        await acts.sign_in(rt, STRANGER, command)
    session = good(Session, await acts.sign_in(rt, STRANGER, SignIn(ANN, GOOD)))
    await acts.refresh(rt, STRANGER, Refresh(rid(1), session.refresh_token))
    await acts.refresh(rt, STRANGER, Refresh(rid(2), session.refresh_token))
    no = "INVALID_CREDENTIALS"
    assert [(record.act, record.target, record.outcome) for record in records] == [
        ("signIn", ANN, no),
        ("signIn", "nobody@shop.example", no),
        ("signIn", acts.NO_ADDRESS, no),
        ("signIn", ANN, DONE),
        ("refreshSession", records[-1].target, no),
    ]
    assert str(ann.id) in str(records[3].after)
    secrets = (WRONG, PASTED, GOOD, session.refresh_token, session.access_token)
    assert [secret for secret in secrets if secret in str(records)] == []
