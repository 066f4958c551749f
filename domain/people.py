"""People by their e-mail addresses: one spelling per address, so that nobody has two accounts."""

import re
import unicodedata

EMAIL_LENGTH = 200
"""Characters: an address is stored with what its person does."""
ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


def email_address(text: str) -> str | None:
    """The one spelling of an address, or None where it is none. Mail hosts tell no cases apart, and
    characters that look the same in Unicode are the same."""
    address = unicodedata.normalize("NFKC", text.strip()).lower()
    is_good = len(address) <= EMAIL_LENGTH and ADDRESS.fullmatch(address) and address.isprintable()
    return address if is_good else None


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]
