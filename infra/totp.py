"""One-time codes (TOTP, RFC 6238). The secret of an authenticator is made of the house's key, its
person and a nonce: the database, which has only the nonce, gives nobody a code."""

from base64 import b32encode
from collections.abc import Iterable
from hmac import compare_digest, digest
from uuid import UUID

import pyotp

ISSUER = "Onhand"
PURPOSE = b"authenticator\0"
SECRET_BYTES = 20
"""What RFC 4226 recommends."""


def secret_of(key: str, person: UUID, nonce: str) -> str:
    """In base32, as authenticators take it."""
    whole = digest(key.encode(), PURPOSE + person.bytes + nonce.encode(), "sha256")
    return b32encode(whole[:SECRET_BYTES]).decode()


def uri_of(secret: str, name: str) -> str:
    """What a QR code for an authenticator says."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def code_of(secret: str, step: int) -> str:
    return pyotp.TOTP(secret).generate_otp(step)


def step_found(secret: str, code: str, steps: Iterable[int]) -> int | None:
    """The step that the code belongs to, of these."""
    for step in steps:
        if compare_digest(code_of(secret, step).encode(), code.encode("utf-8", "replace")):
            return step
    return None
