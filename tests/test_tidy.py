"""Every source file keeps the house rules, and every house rule can fail."""

import re
import subprocess
from importlib.metadata import distributions
from itertools import pairwise
from pathlib import Path

import pytest

from tests.house import GENERATED, LAYERS
from tests.tidy import RULES, Source, complaints

ROOT = Path(__file__).parent.parent
FOLDERS = (*LAYERS, "benchmarks", "tests")


def sources() -> list[Source]:
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    read = [Source(str(path.relative_to(ROOT)), path.read_text()) for path in paths]
    return [source for source in read if not source.path.startswith(GENERATED)]


def test_every_file_keeps_the_house_rules() -> None:
    found = [complaint for source in sources() for complaint in complaints(source)]
    assert not found, "\n" + "\n".join(found)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.py", "*.toml", "*.lock", "*.md", "Makefile"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "registry" + ".npmjs")
    found = [
        f"{name}: {host}"
        for name in names
        if (ROOT / name).is_file()
        for host in hosts
        if host in (ROOT / name).read_text()
    ]
    assert not found


DOC = '"""Owns something."""\n'
NESTED = """
def f(a):
    for b in a:
        with b:
            if b:
                if a:
                    pass
"""
CHAIN = """
def f(a):
    if a == 1:
        pass
    elif a == 2:
        pass
    elif a == 3:
        pass
    elif a == 4:
        pass
    elif a == 5:
        pass
"""


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        ("line-length", "infra/a.py", f"x = {'1' * 100}"),
        ("file-length", "infra/a.py", "x = 1\n" * 300),
        ("function-length", "infra/a.py", "def f():\n" + "    x = 1\n" * 60),
        ("function-length", "domain/a.py", "def f():\n" + "    x = 1\n" * 40),
        ("nesting", "infra/a.py", NESTED),
        ("late-import", "infra/a.py", "def f():\n    import os\n"),
        ("layer", "domain/a.py", "import infra.clock"),
        ("layer", "infra/a.py", "from actors import client"),
        ("layer", "actors/a.py", "from services.runtime import Runtime"),
        ("layer", "schema/a.py", "import connectors"),
        ("layer", "connectors/a.py", "import schema"),
        ("layer", "services/a.py", "import api"),
        ("module", "api/a.py", "import tests.tidy"),
        ("module", "domain/a.py", "import msgspec"),
        ("module", "domain/a.py", "import asyncio"),
        ("module", "services/a.py", "import ray"),
        ("module", "infra/a.py", "import nats"),
        ("module", "infra/bus.py", "import redis.asyncio"),
        ("module", "api/a.py", "import requests"),
        ("clock", "services/a.py", "from datetime import datetime\nx = datetime.now()"),
        ("clock", "services/a.py", "import datetime\nx = datetime.datetime.now()"),
        ("clock", "services/a.py", "import time\nx = time.time()"),
        ("clock", "services/a.py", "from time import time"),
        ("ids", "domain/a.py", "import uuid\nx = uuid.uuid4"),
        ("ids", "domain/a.py", "from uuid import uuid4"),
        ("environ", "api/a.py", "import os\nx = os.environ['A']"),
        ("environ", "api/a.py", "import os\nx = os.getenv('A')"),
        ("random", "services/a.py", "import random"),
        ("print", "api/a.py", "print('hello')"),
        ("file-name", "infra/utils.py", "x = 1"),
        ("unfinished", "infra/a.py", "x = 1  # TO" + "DO: more"),
        ("unfinished", "infra/a.py", "raise NotImplemented" + "Error"),
        ("broad-except", "infra/a.py", "try:\n    x = 1\nexcept Exception:\n    pass"),
        ("broad-except", "infra/a.py", "try:\n    x = 1\nexcept:\n    pass"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named(rule: str, path: str, text: str) -> None:
    found = complaints(Source(path, DOC + text))
    assert [complaint.split(": ")[1] for complaint in found] == [rule]


@pytest.mark.parametrize("text", ["x = 1", '"""' + "\n".join("abcdef") + '"""'])
def test_a_file_opens_by_saying_what_it_owns_in_a_few_lines(text: str) -> None:
    assert "docstring" in complaints(Source("infra/a.py", text))[0]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("domain/a.py", CHAIN),
        ("domain/a.py", "from datetime import datetime\nimport re"),
        ("infra/clock.py", "from uuid import uuid4\nx = uuid4()"),
        ("infra/settings.py", "import os\nx = os.environ"),
        ("infra/bus.py", "import nats\nfrom domain import cell"),
        ("actors/a.py", "import ray"),
        ("api/a.py", "import schema\nimport connectors\nimport starlette"),
        ("infra/a.py", "try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise"),
        ("tests/a.py", "import random\nprint(random.random())"),
    ],
)
def test_what_is_at_home_is_let_through(path: str, text: str) -> None:
    assert complaints(Source(path, DOC + text)) == []


def test_every_rule_has_a_test_that_breaks_it() -> None:
    marks = test_a_file_that_breaks_a_rule_is_named.pytestmark  # type: ignore[attr-defined]
    broken = {case[0] for case in marks[0].args[1]}
    assert broken | {"docstring"} == set(RULES)


def test_an_exception_is_named_in_place_with_its_reason() -> None:
    text = DOC + "import random  # tidy: allow random: the demo is the same for everyone"
    assert complaints(Source("connectors/a.py", text)) == []


def test_an_exception_without_a_reason_is_none() -> None:
    text = DOC + "import random  # tidy: allow random:"
    assert len(complaints(Source("connectors/a.py", text))) == 1


def test_an_exception_nobody_needs_is_named() -> None:
    text = DOC + "import re  # tidy: allow random: chance"
    assert "not needed" in complaints(Source("connectors/a.py", text))[0]


def test_each_migration_follows_the_one_before() -> None:
    """In one line: two that follow the same one would run in any order."""
    named = [path.stem for path in sorted((ROOT / "infra/migrations").glob("0*.py"))]
    for before, name in pairwise(named):
        text = (ROOT / f"infra/migrations/{name}.py").read_text()
        assert re.findall(r"['\"]onhand['\"], ['\"](\w+)['\"]\)", text) == [before], name


def test_the_lock_names_the_extras_that_its_packages_ask_for() -> None:
    """pip takes `coverage[toml]` from a lock with hashes only where the lock says so too."""
    lock = (ROOT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([\w.-]+)(?:\[([\w, -]+)\])?==", lock, re.MULTILINE))
    asked = [
        (found[1].lower(), extra.strip())
        for installed in distributions()
        for line in installed.requires or ()
        if "extra ==" not in line and (found := re.match(r"([\w.-]+)\[([^]]+)\]", line))
        for extra in found[2].split(",")
    ]
    assert asked, "some package asks for an extra"
    for package, extra in asked:
        if package in locked:
            assert extra in locked[package].split(", "), f"{package}[{extra}]"
