"""Signing in at a real OpenID Connect provider, which runs in this process on a port of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread

from api.app import build_app
from api.oidc import COOKIE, PATH
from domain.access import Caller
from infra.identity_models import Person
from services.identify import identify
from services.sessions import Refresh, Session, refresh
from tests.actors.world import rid
from tests.integration.people import ANALYST, ANN, OWNER, People, holder, people, with_account

pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config")  # of the provider
SHOP = "http://shop.example"
USERS = [
    User(sub="ann", claims={"email": ANN, "email_verified": True, "name": "Ann"}),
    User(sub="twin", claims={"email": ANN, "email_verified": True}),
    User(sub="unverified", claims={"email": ANN, "email_verified": False}),
    User(sub="silent", claims={"email": ANN}),
    User(sub="new", claims={"email": "New@Ours.example", "email_verified": True, "name": "New"}),
    User(sub="foreign", claims={"email": "eve@theirs.example", "email_verified": True}),
    User(sub="nobody", claims={}),
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(user_claims=USERS, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def here(people_url: str, issuer: str) -> AsyncIterator[People]:
    async with people(people_url) as opened:
        settings = replace(
            opened.rt.settings,
            public_url=SHOP,
            oidc_issuer=issuer,
            oidc_client_id="onhand",
            oidc_client_secret="a secret between the two",
            oidc_domains="ours.example, also.example",
        )
        yield People(replace(opened.rt, settings=settings), opened.clock)


@asynccontextmanager
async def browser(here: People) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build_app(here.rt, {}))
    async with httpx.AsyncClient(transport=transport, base_url=SHOP) as client:
        yield client


async def sent_to_provider(client: httpx.AsyncClient) -> str:
    response = await client.get(f"{PATH}/")
    assert response.status_code == 302
    return response.headers["location"]


async def answered(address: str, sub: str) -> str:
    """Where the provider sends the browser back to once somebody has signed in there."""
    async with httpx.AsyncClient() as elsewhere:
        response = await elsewhere.post(address, data={"sub": sub})
    assert response.status_code == 302, response.text
    return response.headers["location"]


async def sign_in(here: People, sub: str, accept: str = "application/json") -> httpx.Response:
    async with browser(here) as client:
        back = await answered(await sent_to_provider(client), sub)
        return await client.get(back, headers={"accept": accept})


async def test_code_challenge_state_and_nonce_go_to_the_provider(here: People) -> None:
    async with browser(here) as client:
        asked = parse_qs(urlsplit(await sent_to_provider(client)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [f"{SHOP}{PATH}/callback"]
    assert all(len(asked[name][0]) >= 20 for name in ("code_challenge", "state", "nonce"))


async def test_an_invited_person_signs_in_and_is_the_same_person_ever_after(here: People) -> None:
    ann = await holder(here, ANN, ANALYST)
    for _ in range(2):
        response = await sign_in(here, "ann")
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        token = response.json()["accessToken"]
        assert await identify(here.rt, token) == ann
    again = await refresh(here.rt, Refresh(rid(1), response.json()["refreshToken"]))
    assert isinstance(again, Session)
    await Person.filter(id=ann.person).update(email="ann@new.example")
    assert (await sign_in(here, "ann")).json()["personId"] == str(ann.person)


async def test_a_browser_gets_its_session_where_only_it_can_read_it(here: People) -> None:
    ann = await holder(here, ANN, ANALYST)
    response = await sign_in(here, "ann", "text/html")
    assert response.status_code == 303
    place = urlsplit(response.headers["location"])
    assert (place.path, place.query) == ("/graphql", "")
    (token,) = parse_qs(place.fragment)["token"]
    assert await identify(here.rt, token) == ann


async def test_a_password_that_was_set_for_somebody_ends_with_their_own_sign_in(
    here: People,
) -> None:
    ann = await holder(here, ANN, ANALYST)
    await Person.filter(id=ann.person).update(must_change=True)
    token = (await sign_in(here, "ann")).json()["accessToken"]
    assert await identify(here.rt, token) == ann
    assert (await Person.get(id=ann.person)).password_hash is None


async def test_who_comes_from_our_domain_gets_an_account_and_the_role_for_it(here: People) -> None:
    for _ in range(2):
        token = (await sign_in(here, "new")).json()["accessToken"]
        caller = await identify(here.rt, token)
        assert isinstance(caller, Caller)
        assert (caller.subject, caller.grants) == ("new@ours.example", (ANALYST,))
    assert await Person.all().count() == 1


@pytest.mark.parametrize("sub", ["unverified", "silent", "nobody", "foreign"])
async def test_whose_address_is_not_verified_or_not_known_is_nobody(here: People, sub: str) -> None:
    await holder(here, ANN, OWNER)
    response = await sign_in(here, sub)
    assert response.status_code == 403
    assert response.json()["errors"][0]["extensions"]["code"] == "INVALID_CREDENTIALS"
    assert await Person.filter(oidc_subject=None).count() == await Person.all().count() == 1


async def test_an_account_belongs_to_one_person_at_the_provider(here: People) -> None:
    await holder(here, ANN, OWNER)
    assert (await sign_in(here, "ann")).status_code == 200
    assert (await sign_in(here, "twin")).status_code == 403


async def test_a_closed_account_is_closed_here_too(here: People) -> None:
    ann = await with_account(here)
    assert (await sign_in(here, "ann")).status_code == 200
    await Person.filter(id=ann.id).update(is_active=False)
    assert (await sign_in(here, "ann")).status_code == 403
    assert (await sign_in(here, "twin")).status_code == 403


async def test_an_answer_counts_once_and_in_the_browser_that_asked(
    here: People, caplog: pytest.LogCaptureFixture
) -> None:
    await holder(here, ANN, ANALYST)
    async with browser(here) as mine, browser(here) as theirs:
        back = await answered(await sent_to_provider(mine), "ann")
        await sent_to_provider(theirs)
        assert (await theirs.get(back)).status_code == 403
        assert (await mine.get(back)).status_code == 200
        assert (await mine.get(back)).status_code == 403
        assert (await mine.get(f"{PATH}/callback")).status_code == 403
        assert (await mine.get(f"{PATH}/callback?error=access_denied")).status_code == 403
    told = [record for record in caplog.records if record.name == "onhand.turned_away"]
    assert [vars(record)["what"] for record in told] == ["CREDENTIALS_REFUSED"] * 4


async def test_the_cookie_is_signed_and_kept_from_scripts_and_other_sites(here: People) -> None:
    async with browser(here) as client:
        response = await client.get(f"{PATH}/")
        cookie = response.headers["set-cookie"].lower()
        assert all(part in cookie for part in (COOKIE, "httponly", "samesite=lax", f"path={PATH}"))
        back = await answered(response.headers["location"], "ann")
        forged = client.cookies[COOKIE][:-3] + "abc"
        client.cookies.clear()
        client.cookies.set(COOKIE, forged)
        assert (await client.get(back)).status_code == 403


async def test_a_provider_that_is_away_is_told_and_signs_nobody_in(here: People) -> None:
    settings: Any = replace(here.rt.settings, oidc_issuer="http://127.0.0.1:1")
    async with browser(People(replace(here.rt, settings=settings), here.clock)) as client:
        response = await client.get(f"{PATH}/")
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["retryable"] is True


async def test_without_a_provider_there_is_no_such_place(here: People) -> None:
    settings = replace(here.rt.settings, oidc_issuer="")
    async with browser(People(replace(here.rt, settings=settings), here.clock)) as client:
        assert (await client.get(f"{PATH}/")).status_code == 404
