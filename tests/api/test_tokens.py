"""Tokens: only ours, only in time, only with a role we know."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from api.tokens import ALGORITHM, AUDIENCE, ISSUER, sign, verify
from domain.access import Caller, Grant, Role, Scope, everywhere

SECRET = "a-key-that-is-long-enough-for-hs256-signing"
OTHER = "another-key-that-is-long-enough-for-hs256"
NOW = datetime(2011, 12, 9, 12, 50, tzinfo=UTC)
GOOD = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "anna",
    "role": "operations",
    "exp": NOW.timestamp() + 60,
}


@pytest.mark.parametrize("role", Role)
def test_a_token_names_its_caller(role: Role) -> None:
    token = sign(SECRET, "anna", role, days=1, now=NOW)
    assert verify(SECRET, token, NOW) == everywhere("anna", role)


def test_a_token_may_be_limited() -> None:
    scope = Scope(warehouses=frozenset({"BER", "LYO"}), categories=frozenset({"tea"}))
    token = sign(SECRET, "anna", Role.ANALYST, 1, NOW, scope)
    assert verify(SECRET, token, NOW) == Caller("anna", (Grant(Role.ANALYST, scope),))


def test_a_token_ends_with_its_last_day() -> None:
    token = sign(SECRET, "anna", Role.ADMIN, days=2, now=NOW)
    end = NOW + timedelta(days=2)
    assert verify(SECRET, token, end - timedelta(seconds=1))
    assert verify(SECRET, token, end) is None


def test_a_token_signed_with_another_key_is_nobody() -> None:
    assert verify(OTHER, sign(SECRET, "anna", Role.ADMIN, 1, NOW), NOW) is None


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "another-api"},
        {"role": "king"},
        {"role": None},
        {"sub": ""},
        {"sub": 7},
        {"scope": "everywhere"},
        {"scope": {"warehouses": 7}},
        {"exp": "soon"},
        {"exp": 1e300},
        {"exp": None},
    ],
)
def test_a_token_with_a_claim_of_another_kind_is_nobody(change: dict[str, object]) -> None:
    assert verify(SECRET, jwt.encode(GOOD, SECRET, ALGORITHM), NOW)
    assert verify(SECRET, jwt.encode(GOOD | change, SECRET, ALGORITHM), NOW) is None


@pytest.mark.parametrize("claim", GOOD)
def test_a_token_without_one_of_its_claims_is_nobody(claim: str) -> None:
    claims = {name: value for name, value in GOOD.items() if name != claim}
    assert verify(SECRET, jwt.encode(claims, SECRET, ALGORITHM), NOW) is None


def test_an_unsigned_token_is_nobody() -> None:
    assert verify(SECRET, jwt.encode(GOOD, "", "none"), NOW) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "é", "x" * 5_000])
def test_what_is_no_token_is_nobody(token: str) -> None:
    assert verify(SECRET, token, NOW) is None
