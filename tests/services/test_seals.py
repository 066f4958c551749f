"""A sealed text is opened in the spelling that it was made in, and in no other."""

import string

import msgspec
import pytest

from services.seals import opened, sealed

ALPHABET = string.ascii_letters + string.digits + "-_"
DECODER = msgspec.msgpack.Decoder(list[int])


@pytest.mark.parametrize("content", [[1], [1, 2], [1, 2, 3]])
def test_one_content_has_one_spelling(content: list[int]) -> None:
    text = sealed("secret", "purpose", content)
    assert opened("secret", "purpose", text, DECODER) == content
    others = [text[:-1] + last for last in ALPHABET if last != text[-1]]
    others += [text + "=", text + "\n", " " + text, text[:5] + "\n" + text[5:]]
    assert [opened("secret", "purpose", other, DECODER) for other in others] == [None] * len(others)


def test_a_text_is_opened_for_its_purpose_and_by_its_house_only() -> None:
    text = sealed("secret", "purpose", [1])
    assert opened("secret", "another", text, DECODER) is None
    assert opened("another", "purpose", text, DECODER) is None
