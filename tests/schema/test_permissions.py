"""Every root field of the schema has a permission here, or a reason to be open; whoever lacks it is
refused before anything is looked up. A field that stands in no row is a failure."""

from collections.abc import Iterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import msgspec
import pytest
from graphql import OperationType

from domain.access import (
    CHANNELLED,
    SCOPED,
    Caller,
    Grant,
    Permission,
    Role,
    Scope,
    everywhere,
)
from schema.engine import Answer, Asker, Engine, Operation
from services.account import OWN_ACCOUNT
from tests.api.shop import open_shop
from tests.schema.questions import FIELDS, question

NEEDS = {
    Permission.READ_STOCK: """query sku  query skus  query warehouses  query stockLevel
        query stockLevels  query reservation  subscription stockChanged""",
    Permission.READ_LEDGER: "query ledger  query explainStock",
    Permission.RESERVE: """query flashSale  query flashSales  query ticket
        mutation reserveStock  mutation confirmReservation  mutation releaseReservation
        mutation joinFlashSale  subscription ticketChanged""",
    Permission.DEDUCT: "mutation deductReservation",
    Permission.RECEIVE: "mutation receiveStock",
    Permission.ADJUST: "mutation adjustStock",
    Permission.MOVE: "mutation moveStock",
    Permission.RETURN: "mutation returnStock",
    Permission.CATALOGUE: "mutation upsertSkus  mutation upsertWarehouses",
    Permission.SALES: """mutation createFlashSale  mutation updateFlashSale
        mutation cancelFlashSale  mutation closeFlashSale  subscription flashSaleProgress""",
    Permission.READ_OWNERSHIP: "query ownership",
    Permission.READ_TRAIL: "query auditRecords",
    Permission.READ_USERS: "query users",
    Permission.WRITE_USERS: """mutation createUser  mutation setUserActive
        mutation setUserPassword  mutation grantRole  mutation revokeRole""",
    Permission.APPROVE: "mutation grantApproval  mutation sendApprovalCode",
    Permission.READ_KEYS: "query apiKeys",
    Permission.WRITE_KEYS: """mutation createApiKey  mutation rotateApiKey
        mutation revokeApiKey""",
}
OPEN = {
    "what a caller knows of itself": "query me",
    "what a caller asked for, and may decide on": """query approval  query approvals
        mutation rejectApproval  subscription approvalsChanged""",
    "signing in": "mutation signIn  mutation refreshSession",
    "of the caller's own account, and of no key of it": """query secondFactor
        mutation signOut  mutation signOutEverywhere  mutation changePassword
        mutation enrolSecondFactor  mutation confirmSecondFactor  mutation removeSecondFactor
        mutation renewRecoveryCodes  mutation trustDevice""",
}
SALES_ONLY = {"flashSale", "flashSales", "ticket", "joinFlashSale", "ticketChanged"}
"""Need RESERVE everywhere: a sale is about several cells."""
FAR = Scope(warehouses=frozenset({"FAR"}))
FAIR = Scope(channels=frozenset({"fair"}))
PERSON = UUID(int=7)


def fields_of(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))


NEEDED = {field: need for need, text in NEEDS.items() for field in fields_of(text)}


def test_every_field_has_its_permission() -> None:
    opened = [field for text in OPEN.values() for field in fields_of(text)]
    assert sorted([*NEEDED, *opened]) == sorted(FIELDS)


def lacking() -> Iterator[Any]:
    """Every field with every role that must not use it."""
    for (kind, name), need in NEEDED.items():
        for role in Role:
            alone = everywhere("ann", role)
            if not alone.may(need):
                yield pytest.param(kind, name, need, alone, id=f"{name}-{role}")
            limited = Caller("ann", (Grant(role, FAR),), PERSON)
            if need not in SCOPED or name in SALES_ONLY or not limited.may_somewhere(need):
                yield pytest.param(kind, name, need, limited, id=f"{name}-{role}-elsewhere")
            channel = Caller("ann", (Grant(role, FAIR),), PERSON)
            is_foreign = need not in CHANNELLED or name in {*SALES_ONLY, "reserveStock"}
            if is_foreign or not channel.may_somewhere(need):
                yield pytest.param(kind, name, need, channel, id=f"{name}-{role}-other-channel")
        yield pytest.param(kind, name, need, Caller("ann", ()), id=f"{name}-nobody")


@pytest.mark.parametrize(("kind", "name", "need", "caller"), [*lacking()])
async def test_who_lacks_the_permission_is_refused(
    kind: str, name: str, need: Permission, caller: Caller
) -> None:
    """The runtime has no database: whoever asks it fails otherwise."""
    asked = question(kind, name, channel="jd")
    answer = msgspec.json.decode((await answered(caller, *asked)).body)
    if "errors" in answer:
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN", answer
        assert need in error["message"]
        return
    (told,) = answer["data"].values()
    refusals = [row["refusal"] for row in told] if isinstance(told, list) else [told]
    assert [refusal["code"] for refusal in refusals] == ["NOT_PERMITTED"] * len(refusals), told


async def test_an_account_is_no_keys() -> None:
    assert OWN_ACCOUNT not in list(Permission)


async def answered(caller: Caller, query: str, variables: dict[str, Any]) -> Answer:
    engine = Engine(open_shop().rt)
    operation, asker = Operation(query, variables), Asker(caller, "test")
    prepared = engine.prepare(operation)
    assert not isinstance(prepared, Answer), prepared
    if prepared.kind is OperationType.SUBSCRIPTION:
        async with aclosing(engine.stream(asker, prepared, operation)) as answers:
            return await anext(answers)
    return await engine.execute(asker, prepared, operation)
