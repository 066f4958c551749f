"""How an export is asked for, and what is answered where it is refused."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

import msgspec
import pytest

from api.trail_csv import asked_in, turned_away
from domain.refusals import ApprovalClosed, Invalid, NeedsApproval, NotPermitted, Refusal
from domain.states import ApprovalState
from services.pages import BadPage
from services.trail import TrailFilter

ID = UUID(int=7)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_the_filter_and_the_id_of_the_request_are_in_the_address() -> None:
    asked = {"act": "signIn", "since": "2030-01-01T12:00:00Z", "request": str(ID)}
    assert asked_in(asked) == (ID, TrailFilter(act="signIn", since=NOON))
    assert asked_in({}) == (None, TrailFilter())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("request", "7"),
        ("since", "noon"),
        ("until", "2030-01-01"),
        ("since", "0001-01-01T00:00:00+14:00"),
        ("x", ""),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadPage) as bad:
        asked_in({name: value})
    assert bad.value.field == name


@pytest.mark.parametrize(
    ("no", "status", "code"),
    [
        (NotPermitted("trail:read"), HTTPStatus.FORBIDDEN, "FORBIDDEN"),
        (Invalid("request", "must be given"), HTTPStatus.BAD_REQUEST, "BAD_USER_INPUT"),
        (NeedsApproval(ID, "exportTrail", NOON), HTTPStatus.FORBIDDEN, "NEEDS_APPROVAL"),
        (ApprovalClosed(ApprovalState.REJECTED), HTTPStatus.FORBIDDEN, "APPROVAL_CLOSED"),
    ],
)
def test_a_refusal_says_what_it_is(no: Refusal, status: HTTPStatus, code: str) -> None:
    answer = turned_away(no)
    (error,) = msgspec.json.decode(answer.body)["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (status, code)
    if code == "NEEDS_APPROVAL":
        assert error["extensions"]["requestId"] == str(ID)
        assert error["extensions"]["expiresAt"] == "2030-01-01T12:00:00Z"
