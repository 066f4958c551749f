"""E-mail addresses: one spelling each."""

import pytest

from domain.people import domain_of, email_address

NONE = [
    "",
    "ann",
    "ann@",
    "@shop.example",
    "ann@shop",
    "a b@shop.example",
    "a@b@c.example",
    "ann@shop..example",
    "ann\0@shop.example",
    "ann\u200b@shop.example",
    f"a@{'b' * 200}.example",
]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@shop.example", "ann@shop.example"),
        (" Ann@Shop.Example ", "ann@shop.example"),
        ("\uff41nn@shop.example", "ann@shop.example"),
        ("a.b+c@x-y.co.uk", "a.b+c@x-y.co.uk"),
    ],
)
def test_an_address_has_one_spelling(text: str, address: str) -> None:
    assert email_address(text) == address
    assert email_address(address) == address


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_address_is_none(text: str) -> None:
    assert email_address(text) is None


def test_the_domain_is_what_follows_the_at_sign() -> None:
    assert domain_of("ann@shop.example") == "shop.example"
