"""API keys as text."""

from hashlib import sha256

import pytest

from domain.api_keys import hash_of, key_text, prefix_of

SECRET = "s" * 43
KEY = f"ohk_abcdefgh23_{SECRET}"


def test_a_key_tells_its_prefix() -> None:
    assert key_text("abcdefgh23", SECRET) == KEY
    assert prefix_of(KEY) == "abcdefgh23"


def test_a_secret_may_hold_what_separates() -> None:
    assert prefix_of(key_text("abcdefgh23", "_-" * 21 + "_")) == "abcdefgh23"


@pytest.mark.parametrize(
    "text", ["", "ohk_", KEY[1:], KEY[:-1], KEY + "s", KEY.upper(), KEY.replace("_", "-", 1), "é"]
)
def test_what_is_no_key_has_no_prefix(text: str) -> None:
    assert prefix_of(text) is None


def test_the_whole_key_is_hashed() -> None:
    assert hash_of(KEY) == sha256(KEY.encode()).digest()
    assert hash_of(KEY) != hash_of(KEY[:-1] + "t")
