"""Our API, judged by others: every audit of GraphQL over HTTP that the package graphql-http has,
and the client graphql-ws with the codes that it knows sockets to be closed with."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.javascript import node
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
AUDITS_LEAST = 61
NOT_FOLLOWED: dict[str, str] = {}
"""Audits whose SHOULD we do not follow, by id, with the reason. There is none."""
CODES = {
    "noJson": 4400,
    "unknownType": 4400,
    "binary": 4400,
    "subscribedTooEarly": 4401,
    "badToken": 4403,
    "noToken": 4403,
    "noProtocol": 4406,
    "silence": 4408,
    "sameId": 4409,
    "initTwice": 4429,
}


async def told(script: str, url: str, shop: Whole, folder: Path) -> Any:
    done = await asyncio.to_thread(node, script, url, shop.token(), within=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


async def test_graphql_over_http_is_as_its_specification_has_it(
    shop: Whole, javascript: Path
) -> None:
    audits = await told("audits.mjs", f"{shop.url}/graphql", shop, javascript)
    assert len(audits) >= AUDITS_LEAST
    failed = {
        one["id"]: f"{one['name']}: {one.get('reason')}" for one in audits if one["status"] != "ok"
    }
    assert not {id: why for id, why in failed.items() if id not in NOT_FOLLOWED}
    assert not [one for one in audits if one["id"] in NOT_FOLLOWED and "MUST" in one["name"]]


async def test_a_socket_is_closed_with_the_code_that_its_protocol_names(
    shop: Whole, javascript: Path
) -> None:
    url = f"{shop.url}/graphql".replace("http", "ws", 1)
    assert await told("closing_codes.mjs", url, shop, javascript) == CODES
