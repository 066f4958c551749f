"""Child processes: told apart, asked to end, killed when they do not listen."""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.embedded.process import (
    Child,
    StartError,
    end,
    end_all,
    has_terminal,
    running_in,
    spawn,
    wait_until,
)

STUBBORN = "import signal, time; signal.signal(15, lambda *_: None); print('up', flush=1); "
SLEEP = "import time; time.sleep(600)"


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    for child in started:
        end(child, signal.SIGKILL)


def python(code: str, folder: Path, children: list[Child]) -> Child:
    child = spawn("thing", [sys.executable, "-c", code], folder / "thing.log", folder)
    children.append(child)
    return child


def test_a_child_that_ends_is_told_in_one_line_with_its_log(
    tmp_path: Path, children: list[Child]
) -> None:
    child = python("print('one'); print('no disk left'); exit(3)", tmp_path, children)
    with pytest.raises(StartError) as caught:
        wait_until(child, lambda: False)
    assert str(caught.value) == f"thing ended with 3: no disk left (see {child.log})"


def test_a_child_that_says_nothing_is_told_with_its_log(
    tmp_path: Path, children: list[Child]
) -> None:
    child = python("exit(1)", tmp_path, children)
    with pytest.raises(StartError, match=f"thing ended with 1: see {child.log}"):
        wait_until(child, lambda: False)


def test_a_child_is_waited_for_until_it_answers(tmp_path: Path, children: list[Child]) -> None:
    answers = iter([False, False, True])
    child = python(SLEEP, tmp_path, children)
    wait_until(child, lambda: next(answers))
    assert child.is_alive()


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, children: list[Child]) -> None:
    child = python(STUBBORN + SLEEP, tmp_path, children)
    wait_until(child, lambda: b"up" in child.log.read_bytes())
    began = time.monotonic()
    end(child, signal.SIGTERM, patience=0.1)
    assert child.popen.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 10.0


def test_ending_twice_or_never_started_is_no_error(tmp_path: Path, children: list[Child]) -> None:
    child = python(SLEEP, tmp_path, children)
    end(child, signal.SIGTERM)
    end(child, signal.SIGTERM)
    end(None, signal.SIGTERM)
    assert not child.is_alive()


def test_processes_are_known_by_folder_and_name(tmp_path: Path, children: list[Child]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    ours, others = python(SLEEP, here, children), python(SLEEP, there, children)
    (found,) = running_in(here)
    assert found.pid == ours.popen.pid
    assert running_in(here, found.name()) == [found]
    assert running_in(here, "another") == []
    end_all([found], signal.SIGTERM)
    assert not ours.is_alive()
    assert others.is_alive()


def test_a_person_who_looks_around_in_a_folder_is_left_alone(
    tmp_path: Path, children: list[Child]
) -> None:
    person = f"import pty, sys; pty.spawn([sys.executable, '-c', {SLEEP!r}])"
    terminal = python(person, tmp_path, children)
    inside = psutil.Process(terminal.popen.pid)
    wait_until(terminal, lambda: any(has_terminal(child) for child in inside.children()))
    assert [process.pid for process in running_in(tmp_path)] == [terminal.popen.pid]
    link = tmp_path.with_name("link")
    link.symlink_to(tmp_path)
    assert running_in(link) == running_in(tmp_path)
