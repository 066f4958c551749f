"""Signed tokens: who a caller is, for how long, in an HS256 JWT. The only place that knows JWT."""

from datetime import UTC, datetime, timedelta

import jwt

from domain.access import EVERYWHERE, Caller, Grant, Role, Scope
from services.grants import plain_scope, scope_of

ALGORITHM = "HS256"
ISSUER = "onhand"
AUDIENCE = "onhand-api"
DAYS_LIMIT = 3_650
TOKEN_LIMIT = 4_096
"""Characters of a token that is looked at."""

REQUIRED = ["iss", "aud", "exp", "sub", "role"]


def sign(
    secret: str, subject: str, role: Role, days: int, now: datetime, scope: Scope = EVERYWHERE
) -> str:
    assert 0 < days <= DAYS_LIMIT
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(days=days)).timestamp()),
        "sub": subject,
        "role": role.value,
        "scope": plain_scope(scope),
    }
    return jwt.encode(claims, secret, ALGORITHM)


def verify(secret: str, token: str, now: datetime) -> Caller | None:
    """The caller, or None where the token is not ours, out of date or names no role of ours."""
    if len(token) > TOKEN_LIMIT:
        return None
    options: jwt.types.Options = {"require": REQUIRED, "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(token, secret, [ALGORITHM], options, audience=AUDIENCE, issuer=ISSUER)
        expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        grant = Grant(Role(claims["role"]), scope_of(claims.get("scope", {})))
        caller = Caller(str(claims["sub"]), (grant,))
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
        return None
    return caller if now < expires_at and caller.subject else None
