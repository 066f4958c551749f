"""Whatever is asked, with any token or none: no answer is a fault of ours, tells a stack or a
secret, or serves a stranger. Documents are made by hypothesis-graphql, right ones and wrong.

Database and Redis are real, the owner is in memory. What fails is printed with its smallest case.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import StringValueNode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema

from domain.access import Role
from infra.cache import Cache
from infra.clock import SystemClock
from infra.database import connection
from infra.embedded.places import prepare
from infra.embedded.redis import Redis
from infra.rates import Rates
from schema.build import build
from tests.api.shop import SECRET, Shop
from tests.integration.furnished import furnished, postgres
from tests.schema.questions import FIELDS, question

pytestmark = pytest.mark.timeout(600)
EXAMPLES = int(os.environ.get("ONHAND_FUZZ_EXAMPLES", "150"))
"""Of each test. One takes a twentieth of a second."""
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
LEAK = re.compile(
    r"Traceback|File \\?\"|\.py\b|site-packages|asyncpg|tortoise|psycopg|SELECT |INSERT |"
    r"<class |object at 0x|INTERNAL|relation \\?\"" + "|" + SECRET
)
INSTANTS = st.sampled_from(["2031-01-01T12:00:00Z", "9999-12-31T23:59:59+14:00", "now", ""])
SCALARS = {"DateTime": INSTANTS.map(lambda text: StringValueNode(value=text))}
ROLES = [Role.OWNER, Role.ADMIN, *Role, None]
"""The first are drawn most: they come furthest."""
WORDS = st.sampled_from(
    [
        "S001",
        "EAST",
        "WEST",
        "NONE",
        "",
        "ann@shop.example",
        "%",
        "_",
        "'",
        "\\",
        "\u202e",
        "é" * 70,
    ]
) | st.text(max_size=80)
NUMBERS = st.sampled_from([-(2**31), -1, 0, 1, 100, 101, 2**31 - 1]) | st.integers()
SOMETHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    home = tmp_path_factory.mktemp("home")
    redis = Redis(prepare(home))
    try:
        with postgres(home) as started:
            yield started, redis.start()
    finally:
        redis.stop()


@pytest.fixture
async def shop(urls: tuple[str, str]) -> AsyncIterator[Shop]:
    database, redis = urls
    cache = Cache.connect(redis)
    async with furnished(database) as opened:
        await connection().execute_query("TRUNCATE hold, sign_in_failure")
        opened.rt = replace(opened.rt, cache=cache, rates=Rates.beside(cache, SystemClock()))
        yield opened
    await cache.close()


def documents(mode: Mode) -> st.SearchStrategy[Any]:
    return from_schema(build()._schema, custom_scalars=SCALARS, mode=mode)


async def assert_decent(shop: Shop, role: Role | None, body: bytes) -> None:
    """Sent with a token of this role, or with none."""
    async with shop.client(role) as client:
        headers = {"content-type": "application/json"}
        response = await client.post("/graphql", content=body, headers=headers)
    text = response.text
    assert not LEAK.search(text), text
    answer = response.json()
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert "data" in answer or codes, text
    assert response.status_code < 500 or codes <= {"UNAVAILABLE", "BUSY"}, text
    if role is None and not re.search(rb"signIn|refreshSession", body):
        assert (response.status_code, codes) == (401, {"UNAUTHENTICATED"})


def as_json(**body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


@FUZZ
@given(document=documents(Mode.POSITIVE), role=st.sampled_from(ROLES))
async def test_documents_of_the_schema(shop: Shop, document: str, role: Role | None) -> None:
    await assert_decent(shop, role, as_json(query=document))


@FUZZ
@given(document=documents(Mode.NEGATIVE), role=st.sampled_from(ROLES))
async def test_documents_that_are_wrong(shop: Shop, document: str, role: Role | None) -> None:
    await assert_decent(shop, role, as_json(query=document))


@FUZZ
@given(
    field=st.sampled_from(sorted(FIELDS)), role=st.sampled_from(ROLES), data=st.data(), word=WORDS
)
async def test_every_field_with_any_variables(
    shop: Shop, field: tuple[str, str], role: Role | None, data: st.DataObject, word: str
) -> None:
    """Mostly of the right shape, with words that mean something; some of them exchanged."""
    document, variables = question(*field, **dict.fromkeys(("sku", "code", "warehouse"), word))
    odd = data.draw(st.dictionaries(st.sampled_from(sorted(variables) or ["x"]), SOMETHING))
    inner = data.draw(st.fixed_dictionaries({}, optional=leaves(variables)))
    sent = variables | {name: replaced(variables[name], inner) for name in variables} | odd
    await assert_decent(shop, role, as_json(query=document, variables=sent))


def leaves(variables: Any) -> dict[str, st.SearchStrategy[Any]]:
    """By the name of an input's field, at any depth."""
    found: dict[str, st.SearchStrategy[Any]] = {}
    for name, value in variables.items() if isinstance(variables, dict) else ():
        if isinstance(value, dict):
            found |= leaves(value)
        elif isinstance(value, list):
            found |= leaves(value[0]) if value else {}
        else:
            found[name] = NUMBERS if isinstance(value, int) else WORDS
    return found


def replaced(value: Any, inner: dict[str, Any]) -> Any:
    match value:
        case dict():
            return {name: inner.get(name, replaced(one, inner)) for name, one in value.items()}
        case list():
            return [replaced(one, inner) for one in value]
    return value


@FUZZ
@given(
    body=st.binary(max_size=200)
    | SOMETHING.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {},
        optional={
            "query": SOMETHING,
            "variables": SOMETHING,
            "operationName": SOMETHING,
            "documentId": SOMETHING,
            "extensions": SOMETHING,
        },
    ).map(lambda value: json.dumps(value).encode()),
    role=st.sampled_from([Role.OWNER, None]),
)
async def test_bodies_that_are_hardly_operations(
    shop: Shop, body: bytes, role: Role | None
) -> None:
    await assert_decent(shop, role, body)
