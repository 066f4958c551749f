"""Signed text that a client keeps for us: what it says is only believed with its seal.

Each purpose has a seal of its own, so that none can be shown for another, nor for a caller's token.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hmac import compare_digest, digest
from typing import TypeVar

import msgspec

SEAL_BYTES = 16
SEALED_LIMIT = 2_048
"""Characters of a sealed text that is looked at."""
ENCODER = msgspec.msgpack.Encoder()
T = TypeVar("T")


def sealed(secret: str, purpose: str, content: object) -> str:
    payload = ENCODER.encode(content)
    return plain(seal(secret, purpose, payload) + payload)


def opened(secret: str, purpose: str, text: str, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
    """The content, or None where it was not sealed by us for this purpose, in this spelling: one
    text has one hash."""
    if len(text) > SEALED_LIMIT or not text.isascii():
        return None
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    payload = whole[SEAL_BYTES:]
    if plain(whole) != text:
        return None
    if not compare_digest(whole[:SEAL_BYTES], seal(secret, purpose, payload)):
        return None
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError:
        return None


def plain(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def seal(secret: str, purpose: str, payload: bytes) -> bytes:
    return digest(secret.encode(), purpose.encode() + b"\0" + payload, "sha256")[:SEAL_BYTES]
