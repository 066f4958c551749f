"""Two people of a running shop, as they come in by the front door: Ann corrects the stock, and Bob,
who owns the shop, grants it with codes of his second factor. Their requests as the database has
them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import httpx

from domain.commands import CellKey
from domain.second_factor import step_of
from domain.states import ApprovalState
from infra.totp import code_of
from tests.integration.caller import PATIENCE_SECONDS, Caller, new_code, new_id
from tests.integration.test_new_shop import (
    CHANGE,
    CHOSEN,
    CREATE,
    GIVEN,
    GRANT,
    OWNER,
    PASSWORD,
    Visitor,
    first_owner,
)
from tests.integration.whole import Whole

ANN, BOB = "ann@new.example", OWNER
UNITS, LOST = 5_000, 1_001
LOOK_SECONDS = 0.005
T = TypeVar("T")
ADJUST = f"""mutation ($id: ID!, $sku: String!, $warehouse: String!) {{
  answer: adjustStock(input: {{id: $id, sku: $sku, warehouse: $warehouse, delta: -{LOST},
    reason: LOST}}) {{ __typename ... on StockLevel {{ available seq }}
    ... on NeedsApproval {{ requestId }} ... on Refusal {{ code message }} }} }}"""
DECIDE = """mutation ($id: ID!, $code: String!) { answer: grantApproval(id: $id, code: $code) {
  __typename ... on Approval { state outcome } ... on Refusal { code message } } }"""
ENROL = f"""mutation {{ answer: enrolSecondFactor(password: "{PASSWORD}") {{
  __typename ... on SecondFactorEnrolment {{ secret }} }} }}"""
CODES = "{ __typename ... on RecoveryCodes { codes } ... on Refusal { code } } }"
CONFIRM = f"mutation ($code: String!) {{ answer: confirmSecondFactor(code: $code) {CODES}"
RENEW = f"mutation ($code: String!) {{ answer: renewRecoveryCodes(code: $code) {CODES}"
STATE = "SELECT state FROM approval WHERE id = $1"
ENTRIES = "SELECT count(*) FROM entry WHERE request_id = $1"
RECORDS = """SELECT act, subject FROM audit_record WHERE request_id = $1 AND outcome = 'DONE'
GROUP BY act, subject ORDER BY min(seq)"""


class TwoPeople:
    """Each with one connection, and so with one API worker at a time. `books` sees all tables."""

    def __init__(
        self, office: Caller, ann: Caller, bob: Caller, codes: list[str], books: asyncpg.Connection
    ) -> None:
        self.office = office
        self.ann = ann
        self.bob = bob
        self.codes = codes
        self.books = books

    async def asked(self) -> tuple[str, CellKey]:
        """A correction that waits for Bob, of a cell of its own."""
        key, id = CellKey(new_code(), new_code()), new_id()
        await self.office.furnish({key: UNITS})
        answer = await self.adjust(id, key)
        assert (answer["__typename"], answer.get("requestId")) == ("NeedsApproval", id), answer
        return id, key

    async def adjust(self, id: str, key: CellKey) -> Any:
        return await self.ann.ask(ADJUST, id=id, **key._asdict())

    async def code(self) -> str:
        """One that was not used yet."""
        if len(self.codes) == 1:
            renewed = await self.bob.ask(RENEW, code=self.codes.pop())
            self.codes = renewed["codes"]
        return self.codes.pop()

    async def granted(self, id: str) -> Any:
        return await self.bob.ask(DECIDE, id=id, code=await self.code())

    async def state(self, id: str) -> ApprovalState:
        return ApprovalState(await self.books.fetchval(STATE, UUID(id)))

    async def until(self, id: str, wanted: ApprovalState) -> None:
        async def is_so() -> bool:
            return await self.state(id) is wanted

        await until(is_so)

    async def until_entered(self, id: str) -> None:
        """Until the ledger has it."""
        await until(lambda: self.books.fetchval(ENTRIES, UUID(id)))

    async def records(self, id: str) -> list[tuple[str, str]]:
        """What the trail says was done under this id, by whom, and in which order."""
        return [tuple(row) for row in await self.books.fetch(RECORDS, UUID(id))]


async def until(looked: Callable[[], Awaitable[T]]) -> T:
    """What is found, once something is."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if found := await looked():
                return found
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def two_people(shop: Whole) -> AsyncIterator[TwoPeople]:
    """In a shop that has nobody yet."""
    await asyncio.to_thread(first_owner, shop)
    async with httpx.AsyncClient(base_url=shop.url, timeout=PATIENCE_SECONDS) as client:
        bob, ann = Visitor(client), Visitor(client)
        await bob.sign_in(BOB, PASSWORD)
        user = await bob.ask(CREATE, id=str(uuid4()), email=ANN, password=GIVEN)
        granted = await bob.ask(GRANT, id=str(uuid4()), user=user["id"], role="WAREHOUSE")
        assert granted["__typename"] == "User", granted
        session = await ann.sign_in(ANN, GIVEN)
        await ann.ask(CHANGE, now=GIVEN, then=CHOSEN, keep=session["refreshToken"])
        await ann.sign_in(ANN, CHOSEN)
        secret = (await bob.ask(ENROL))["secret"]
        confirmed = await bob.ask(CONFIRM, code=code_of(secret, step_of(datetime.now(UTC))))
    books = await asyncpg.connect(shop.settings.database_url)
    try:
        async with Caller(shop) as office, signed(shop, ann) as first, signed(shop, bob) as second:
            yield TwoPeople(office, first, second, confirmed["codes"], books)
    finally:
        await books.close()


def signed(shop: Whole, visitor: Visitor) -> Caller:
    """Somebody with a session."""
    caller = Caller(shop, connections=1)
    caller.headers = {"authorization": f"Bearer {visitor.token}"}
    return caller
