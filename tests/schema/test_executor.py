"""The short road answers as the general road does."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from graphql import ExecutionResult, GraphQLObjectType, parse
from graphql.execution import Executor, execute
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.states import ReservationState
from schema.build import build
from schema.executor import executor_for, leaves_of
from services.reservations import Reservation, ReservationLine

SCHEMA = build.__wrapped__()._schema  # one of its own: its resolvers are exchanged
PLAIN = executor_for(SCHEMA)
FIELDS = ("sku", "warehouse", "quantity", "deducted", "seq", "availableAfter", "__typename")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def shown(executor: type[Executor[Any]], value: object, selection: str) -> ExecutionResult:
    """The value as the answer to a reservation's question."""
    query_type = SCHEMA.query_type
    assert query_type is not None
    query_type.fields["reservation"].resolve = lambda *_, **__: value
    document = parse(f"{{ reservation(id: 1) {{ {selection} }} }}")
    result = execute(SCHEMA, document, executor_class=executor)
    assert isinstance(result, ExecutionResult)
    return result


def reservation(*lines: ReservationLine, **changes: Any) -> Reservation:
    facts: dict[str, Any] = {
        "id": UUID(int=7),
        "state": ReservationState.HELD,
        "lines": lines,
        "customer": None,
        "channel": "web",
        "sale_id": None,
        "created_at": NOON,
        "expires_at": None,
    }
    return Reservation(**facts | changes)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(FIELDS), min_size=1, max_size=10),
    st.integers(-(2**33), 2**33),
)
def test_both_roads_lead_to_the_same_answer(fields: list[str], quantity: int) -> None:
    selection = " ".join(f"a{n}: {field}" for n, field in enumerate(fields))
    value = reservation(ReservationLine("MUG", "WEST", quantity, 0, 7, 5))
    asked = f"id state channel customer lines {{ {selection} }}"
    short, general = shown(PLAIN, value, asked), shown(Executor, value, asked)
    assert str(short.data) == str(general.data), "the order counts too"
    assert str(short.errors) == str(general.errors)


@pytest.mark.parametrize("absent", ["created_at", "state", "id"])
def test_an_absent_value_that_must_be_there_is_an_error_with_its_path(absent: str) -> None:
    value = reservation(**{absent: None})
    result = shown(PLAIN, value, "id state createdAt")
    assert result.errors is not None
    assert "Cannot return null for non-nullable field" in result.errors[0].message
    assert result.errors[0].path is not None
    assert result.data == {"reservation": None}


def test_instants_are_told_in_utc() -> None:
    east = timezone(timedelta(hours=3))
    value = reservation(created_at=datetime(2030, 1, 1, 15, 0, 0, 5, tzinfo=east))
    result = shown(PLAIN, value, "createdAt")
    assert result.data == {"reservation": {"createdAt": "2030-01-01T12:00:00.000005Z"}}


def test_fields_with_a_resolver_are_not_plain() -> None:
    leaves = leaves_of(SCHEMA)
    sku = SCHEMA.type_map["Sku"]
    assert isinstance(sku, GraphQLObjectType)
    assert "code" in leaves[sku]
    assert "levels" not in leaves[sku]
