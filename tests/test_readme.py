"""Both READMEs tell of every command and of the same documents."""

import re
from pathlib import Path

import pytest

from api.cli import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md")
LINK = re.compile(r"\]\(((?:docs/)?[\w-]+\.md)\)")


@pytest.mark.parametrize("name", PAGES)
def test_every_command_is_told(name: str) -> None:
    told = set(re.findall(r"^\| `onhand ([\w-]+)", (ROOT / name).read_text(), re.MULTILINE))
    assert told == set(COMMANDS) - {"up"}, "`onhand up` stands beside `onhand serve`"


@pytest.mark.parametrize("name", PAGES)
def test_every_document_that_is_linked_is_there(name: str) -> None:
    links = LINK.findall((ROOT / name).read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_same_documents_are_linked() -> None:
    linked = [set(LINK.findall((ROOT / name).read_text())) - set(PAGES) for name in PAGES]
    assert linked[0] == linked[1]
