"""API keys as text: `ohk_<prefix>_<secret>`. The prefix is shown wherever the key is listed and
finds it; the secret is shown once. It has 256 bits, so a plain hash of it cannot be guessed."""

import re
from datetime import timedelta
from hashlib import sha256

MARK = "ohk_"
PREFIX_LENGTH = 10
KEY = re.compile(rf"{MARK}([a-z0-9]{{{PREFIX_LENGTH}}})_[A-Za-z0-9_-]{{43}}")
LONGEST_OVERLAP = timedelta(days=30)
"""A rotated key's former secret is good for so long at most."""
USE_KEPT_EVERY = timedelta(minutes=1)
"""When a key was used last is written down that often at most."""


def key_text(prefix: str, secret: str) -> str:
    text = f"{MARK}{prefix}_{secret}"
    assert KEY.fullmatch(text), "43 characters of base64url are 256 bits"
    return text


def prefix_of(text: str) -> str | None:
    """None: this is no API key."""
    found = KEY.fullmatch(text)
    return found[1] if found else None


def hash_of(text: str) -> bytes:
    return sha256(text.encode()).digest()
