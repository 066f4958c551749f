"""Tokens of a session: ours, of this kind and in time, whatever their own header says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from api.tokens import sign
from api.tokens import verify as verify_development
from domain.access import Role
from domain.sessions import ACCESS_LIFE
from services.session_tokens import (
    ALGORITHM,
    AUDIENCE,
    ISSUER,
    Shown,
    Signed,
    access_token,
    read_access_token,
    read_refresh_token,
    refresh_token,
)

SECRET = "a-key-that-is-long-enough-for-any-algorithm-that-anybody-tries-to-sign-with"
OTHER = "another-key-that-is-long-enough-for-hs256"
NOW = datetime(2011, 12, 9, 12, 50, tzinfo=UTC)
ANN = Signed(UUID(int=1), UUID(int=2))
REFRESH = Shown(ANN.family, 1, b"nonce")
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": str(ANN.person),
    "fam": str(ANN.family),
    "exp": int((NOW + ACCESS_LIFE).timestamp()),
}


def read(**changes: Any) -> Signed | None:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return read_access_token(SECRET, jwt.encode(claims, SECRET, ALGORITHM), NOW)


def test_an_access_token_names_person_and_family_until_it_ends() -> None:
    token, ends_at = access_token(SECRET, ANN, NOW)
    assert read_access_token(SECRET, token, ends_at - timedelta(seconds=1)) == ANN
    assert read_access_token(SECRET, token, ends_at) is None
    assert read() == ANN


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "another-api"},
        {"aud": "onhand-api"},
        {"exp": int(NOW.timestamp())},
        {"exp": None},
        {"nbf": 2**33},
        {"sub": "ann"},
        {"fam": None},
    ],
)
def test_a_token_with_another_claim_is_nobodys(change: dict[str, Any]) -> None:
    assert read(**change) is None


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_no_algorithm_but_ours_is_taken(algorithm: str) -> None:
    key = "" if algorithm == "none" else SECRET
    token = jwt.encode(CLAIMS, key, algorithm)
    assert read_access_token(SECRET, token, NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": {"kty": "oct", "k": OTHER}},
        {"jku": "https://keys.example/jwks.json"},
        {"x5u": "https://keys.example/cert.pem"},
        {"kid": "../../dev/null"},
    ],
)
def test_a_token_that_brings_its_own_key_is_nobodys(header: dict[str, Any]) -> None:
    token = jwt.encode(CLAIMS, OTHER, ALGORITHM, headers=header)
    assert read_access_token(SECRET, token, NOW) is None
    assert read_access_token(SECRET, jwt.encode(CLAIMS, SECRET, ALGORITHM, header), NOW) == ANN


def test_no_kind_of_token_is_taken_for_another() -> None:
    access, _ = access_token(SECRET, ANN, NOW)
    refresh = refresh_token(SECRET, REFRESH)
    development = sign(SECRET, "ann", Role.OWNER, 1, NOW)
    assert read_refresh_token(SECRET, refresh) == REFRESH
    assert read_refresh_token(SECRET, access) is None
    assert read_refresh_token(SECRET, development) is None
    assert read_access_token(SECRET, refresh, NOW) is None
    assert read_access_token(SECRET, development, NOW) is None
    assert verify_development(SECRET, access, NOW) is None
