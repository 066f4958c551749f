"""How a shop gets its people: the first owner, somebody who is invited, a role, a key for a
machine; and that nothing secret of all this is seen anywhere."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from api.authentication import TRUST_SECONDS
from domain.access import Role
from tests.integration.whole import Whole

OWNER, INVITED = "owner@new.example", "invited@new.example"
PASSWORD, GIVEN, CHOSEN = (
    "three grey otters at noon",
    "seven quiet lamps in may",
    "nine loud drums at dawn",
)
PATIENCE_SECONDS = 60.0
UNAUTHORIZED = 401
SESSION = "accessToken refreshToken mustChangePassword"
SIGN_IN = f"""mutation ($email: String!, $password: String!) {{
  answer: signIn(input: {{email: $email, password: $password}}) {{
    __typename ... on Session {{ {SESSION} }} ... on Refusal {{ code }} }} }}"""
REFRESH = f"""mutation ($id: ID!, $token: String!) {{
  answer: refreshSession(input: {{id: $id, refreshToken: $token}}) {{
    __typename ... on Session {{ {SESSION} }} ... on Refusal {{ code }} }} }}"""
CREATE = """mutation ($id: ID!, $email: String!, $password: String!) {
  answer: createUser(input: {id: $id, email: $email, name: "Ivy", password: $password}) {
    __typename ... on User { id email } ... on Refusal { code message } } }"""
GRANT = """mutation ($id: ID!, $user: ID!, $role: Role!) {
  answer: grantRole(input: {id: $id, userId: $user, role: $role}) {
    __typename ... on User { grants { grant { role scope { warehouses } } } }
    ... on Refusal { code message } } }"""
CHANGE = """mutation ($now: String!, $then: String!, $keep: String) {
  answer: changePassword(input: {currentPassword: $now, newPassword: $then, refreshToken: $keep}) {
    __typename ... on SignedOut { sessions } ... on Refusal { code message } } }"""
KEY = """mutation ($id: ID!, $role: Role!) {
  answer: createApiKey(input: {id: $id, name: "till", grants: [{role: $role}]}) {
    __typename ... on IssuedApiKey { secret apiKey { prefix maker } }
    ... on Refusal { code message } } }"""
REVOKE = """mutation ($id: ID!) { answer: revokeApiKey(id: $id) {
  __typename ... on ApiKey { revokedAt } ... on Refusal { code message } } }"""
USERS = "{ answer: users { edges { node { email grants { grant { role } } } } } }"
WAREHOUSES = "{ answer: warehouses { code } }"
SEEN = "SELECT row_to_json(r)::text FROM audit_record r"


class Visitor:
    """Asks the shop over HTTP, with whatever token it has by then."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""
        self.secrets = [PASSWORD, GIVEN, CHOSEN]

    async def post(self, document: str, **variables: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": document, "variables": variables}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def ask(self, document: str, **variables: Any) -> Any:
        response = await self.post(document, **variables)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]["answer"]

    async def sign_in(self, email: str, password: str) -> dict[str, Any]:
        session: dict[str, Any] = await self.ask(SIGN_IN, email=email, password=password)
        assert session["__typename"] == "Session", session
        self.take(session)
        return session

    def take(self, session: dict[str, Any]) -> None:
        self.token = session["accessToken"]
        self.secrets += [session["accessToken"], session["refreshToken"]]

    async def until_refused(self) -> None:
        """Within seconds: each API process trusts for TRUST_SECONDS what it has seen."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if (await self.post(WAREHOUSES)).status_code == UNAUTHORIZED:
                    return
                await asyncio.sleep(TRUST_SECONDS / 20)


@pytest.mark.timeout(300)
async def test_a_new_shop_gets_its_people_and_tells_none_of_their_secrets(shop: Whole) -> None:
    await asyncio.to_thread(first_owner, shop)
    async with httpx.AsyncClient(base_url=shop.url, timeout=PATIENCE_SECONDS) as client:
        owner, invited, machine = Visitor(client), Visitor(client), Visitor(client)
        await owner.sign_in(OWNER, PASSWORD)
        user = await owner.ask(CREATE, id=str(uuid4()), email=INVITED, password=GIVEN)
        granted = await owner.ask(GRANT, id=str(uuid4()), user=user["id"], role="ADMIN")
        grant = {"role": "ADMIN", "scope": {"warehouses": None}}
        assert granted["grants"] == [{"grant": grant}]
        await invitation_taken(invited)
        await key_used(shop, invited, machine)
        people = [edge["node"]["email"] for edge in (await owner.ask(USERS))["edges"]]
        ours = [email for email in people if email in (INVITED, OWNER)]
        assert ours == [INVITED, OWNER], "the shop may have people of other tests"
        await old_token_used(invited)
        metrics = (await client.get("/metrics")).text
        secrets = {*owner.secrets, *invited.secrets, machine.token}
    told = [logs(shop), metrics, shop.run("settings").stdout, await trail(shop)]
    assert "used twice" in told[0]
    assert OWNER in told[-1]
    assert [secret for secret in secrets if any(secret in text for text in told)] == []


def first_owner(shop: Whole) -> None:
    file = shop.home.with_name("password")
    file.write_text(PASSWORD)
    made = shop.run("create-admin", "--email", OWNER, "--password-file", str(file))
    assert made.returncode == 0, made.stderr
    again = shop.run("create-admin", "--email", INVITED, "--password-file", str(file))
    assert (again.returncode, "has an owner already" in again.stderr) == (1, True)


async def invitation_taken(invited: Visitor) -> None:
    """The password that somebody else set is good for nothing but changing it."""
    session = await invited.sign_in(INVITED, GIVEN)
    assert session["mustChangePassword"] is True
    refused = (await invited.post(WAREHOUSES)).json()
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    changed = await invited.ask(CHANGE, now=GIVEN, then=CHOSEN, keep=session["refreshToken"])
    assert changed == {"__typename": "SignedOut", "sessions": 0}
    await invited.sign_in(INVITED, CHOSEN)
    await invited.ask(WAREHOUSES)


async def key_used(shop: Whole, invited: Visitor, machine: Visitor) -> None:
    """Over HTTP and WebSocket; an admin's key is no owner's."""
    more = await invited.ask(KEY, id=str(uuid4()), role="OWNER")
    assert (more["code"], more["message"]) == (
        "NOT_PERMITTED",
        "this needs the permission grant:owner",
    )
    key_id = str(uuid4())
    issued = await invited.ask(KEY, id=key_id, role="ANALYST")
    assert (await invited.ask(KEY, id=key_id, role="ANALYST"))["secret"] is None
    machine.token = issued["secret"]
    await machine.ask(WAREHOUSES)
    forbidden = (await machine.post(USERS)).json()["errors"][0]["extensions"]["code"]
    assert forbidden == "FORBIDDEN"
    socket = WebsocketsTransport(
        f"{shop.url}/graphql".replace("http", "ws", 1),
        init_payload={"authorization": f"Bearer {machine.token}"},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    async with Client(transport=socket) as session:
        assert "answer" in await session.execute(gql(WAREHOUSES))
    await invited.ask(REVOKE, id=key_id)
    await machine.until_refused()


async def old_token_used(invited: Visitor) -> None:
    """A refresh token that is used twice ends its family, whose access token dies at once."""
    session = await invited.sign_in(INVITED, CHOSEN)
    request = str(uuid4())
    newer = await invited.ask(REFRESH, id=request, token=session["refreshToken"])
    assert await invited.ask(REFRESH, id=request, token=session["refreshToken"]) == newer
    invited.take(newer)
    await invited.ask(WAREHOUSES)
    stolen = await invited.ask(REFRESH, id=str(uuid4()), token=session["refreshToken"])
    assert stolen["code"] == "INVALID_CREDENTIALS"
    await invited.until_refused()
    ended = await invited.ask(REFRESH, id=str(uuid4()), token=newer["refreshToken"])
    assert ended["code"] == "INVALID_CREDENTIALS"


def logs(shop: Whole) -> str:
    files = [shop.output, *shop.home.rglob("*.log")]
    return "\n".join(file.read_text(errors="replace") for file in files)


async def trail(shop: Whole) -> str:
    connection = await asyncpg.connect(shop.settings.database_url)
    rows = await connection.fetch(SEEN)
    await connection.close()
    return "\n".join(row[0] for row in rows)


def test_a_development_token_is_not_given_in_production(shop: Whole) -> None:
    key = {"ONHAND_ENV": "production", "ONHAND_SECRET_KEY": "k" * 40}
    before = shop.environ
    try:
        shop.environ = before | key
        refused = shop.run("token", "--role", Role.ADMIN)
    finally:
        shop.environ = before
    assert (refused.returncode, "no development tokens" in refused.stderr) == (1, True)
