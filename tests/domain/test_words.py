"""The dictionary in domain/__init__.py knows every word that the ledger and the commands use."""

import re

import domain
from domain.commands import COMMANDS
from domain.ledger import Kind

DICTIONARY = domain.__doc__ or ""


def test_every_movement_kind_is_explained() -> None:
    missing = [kind for kind in Kind if not explains(kind.replace("_", " "))]
    assert not missing


def test_every_command_is_explained() -> None:
    missing = [c.__name__ for c in COMMANDS if not explains(c.__name__.lower())]
    assert not missing


def test_a_word_is_explained_once() -> None:
    entries = re.findall(r"^(\w[\w, ]*?)  ", DICTIONARY, re.MULTILINE)
    words = [word for entry in entries for word in entry.split(", ")]
    assert len(words) > 30
    assert len(words) == len(set(words))


def explains(word: str) -> bool:
    return re.search(rf"\b{word}\b", DICTIONARY) is not None
