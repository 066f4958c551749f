"""docs/security.md says which test shows what: every test that it names exists, and no item that it
answers for is left out."""

import re
from pathlib import Path

import pytest

from tests.written import unnamed

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \||\| G\d+ \|", line)]
ASVS = {
    *(f"2.3.{n}" for n in range(1, 6)),
    *(f"2.4.{n}" for n in range(1, 3)),
    *(f"4.3.{n}" for n in range(1, 3)),
    *(f"4.4.{n}" for n in range(1, 5)),
    *(f"9.1.{n}" for n in range(1, 4)),
    *(f"9.2.{n}" for n in range(1, 5)),
    *(f"15.4.{n}" for n in range(1, 5)),
    *(f"16.2.{n}" for n in range(1, 6)),
    *(f"16.3.{n}" for n in range(1, 5)),
    *(f"16.4.{n}" for n in range(1, 4)),
    *(f"16.5.{n}" for n in range(1, 5)),
}
SHEET = {f"G{n}" for n in range(1, 18)}


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_each_test_that_the_page_names_exists(file: str, name: str) -> None:
    source = (ROOT / "tests" / file).read_text()
    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file}::{name}"


def test_each_item_is_answered_with_a_test_or_by_not_met() -> None:
    items = [row.split("|")[1].strip() for row in ROWS]
    assert len(items) == len(set(items))
    assert set(items) == ASVS | SHEET
    for row in ROWS:
        assert ("::" in row.split("|")[-2]) or ("not met" in row.split("|")[-2]), row


def test_a_file_that_the_page_does_not_name_is_told(tmp_path: Path) -> None:
    for name in ("logs/api.log", "lock", "postgres/data/base/1/2", "redis.key"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert unnamed(tmp_path) == []
    for name in ("logs/more/api.log", "logs/api.txt", "redis/appendonly.aof", "access"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "logs")
    strange = ["access", "link", "logs/api.txt", "logs/more/api.log", "redis/appendonly.aof"]
    assert sorted(unnamed(tmp_path)) == strange
