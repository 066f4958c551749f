"""The tokens of a session. The access token is a JWT that names person and family; the refresh
token is sealed, so one that we never made is told from one that was used before."""

from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import NamedTuple
from uuid import UUID

import jwt
import msgspec

from domain.sessions import ACCESS_LIFE
from services.seals import opened, sealed

ALGORITHM = "HS256"
ISSUER = "onhand"
AUDIENCE = "onhand-session"
"""Not that of the development tokens: neither is taken for the other."""
TOKEN_LIMIT = 4_096
"""Characters of a token that is looked at."""
REQUIRED = ["iss", "aud", "exp", "sub", "fam"]
MARK = "ohr_"
PURPOSE = "refresh token"
NEXT = b"the refresh token after\0"


class Signed(NamedTuple):
    """What an access token says."""

    person: UUID
    family: UUID


class Shown(NamedTuple):
    """What a refresh token says."""

    family: UUID
    generation: int
    nonce: bytes


DECODER = msgspec.msgpack.Decoder(Shown)


def access_token(secret: str, signed: Signed, at: datetime) -> tuple[str, datetime]:
    """The token, and when it ends."""
    ends_at = (at + ACCESS_LIFE).replace(microsecond=0)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(at.timestamp()),
        "exp": int(ends_at.timestamp()),
        "sub": str(signed.person),
        "fam": str(signed.family),
    }
    return jwt.encode(claims, secret, ALGORITHM), ends_at


def read_access_token(secret: str, token: str, now: datetime) -> Signed | None:
    """None where it is not ours, not of this kind, or over."""
    if len(token) > TOKEN_LIMIT:
        return None
    options: jwt.types.Options = {"require": REQUIRED, "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(token, secret, [ALGORITHM], options, audience=AUDIENCE, issuer=ISSUER)
        ends_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        signed = Signed(UUID(claims["sub"]), UUID(claims["fam"]))
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError, OverflowError):
        return None
    return signed if now < ends_at else None


def refresh_token(secret: str, shown: Shown) -> str:
    return MARK + sealed(secret, PURPOSE, shown)


def read_refresh_token(secret: str, token: str) -> Shown | None:
    """None where we never made it."""
    return opened(secret, PURPOSE, token.removeprefix(MARK), DECODER)


def next_nonce(secret: str, token: str, request_id: UUID) -> bytes:
    """The same for the same request: an answer that was lost can be given again, and is not kept
    anywhere meanwhile."""
    return digest(secret.encode(), NEXT + request_id.bytes + token.encode(), "sha256")


def hash_of(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
