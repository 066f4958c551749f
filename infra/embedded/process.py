"""Child processes: started apart from the terminal, watched until they answer, ended for certain.

A server of this home that outlived its supervisor is known by its name and working directory.
"""

import importlib.util
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import psutil

from infra.settings import SettingsError

START_PATIENCE_SECONDS = 120.0
"""For a database that first replays its log; a process that ends is noticed at once."""

STOP_PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.02
LOG_TAIL_BYTES = 4_000
TERMINAL_FIELD = 4
"""Of /proc/PID/stat, counted from after the name."""
OPEN_FILES = 65_536
"""Of one process, where the machine allows as many: every connection is one."""


class Server(Protocol):
    """Something the supervisor keeps alive. `start` returns the URL at which it answers."""

    name: str

    def start(self) -> str: ...

    def is_alive(self) -> bool: ...

    def stop(self) -> None: ...


class StartError(Exception):
    """A child that did not come up. The message is one line; the rest stands in its log."""


class Identity(NamedTuple):
    """The user a child runs as."""

    uid: int
    gid: int


def wheel(package: str) -> Path:
    """The folder of an installed package, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise StartError(f"the package {package} is not installed")
    return Path(found.origin).parent


def as_identity(user: Identity | None) -> dict[str, Any]:
    """The arguments of subprocess that run a child as `user`."""
    return {"user": user.uid, "group": user.gid, "extra_groups": ()} if user else {}


@dataclass(slots=True)
class Child:
    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def is_alive(self) -> bool:
        return self.popen.poll() is None


def spawn(
    name: str,
    argv: Sequence[str],
    log: Path,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    user: Identity | None = None,
) -> Child:
    """In a session of its own, so that the terminal's Ctrl-C reaches only the supervisor."""
    with log.open("ab") as output:
        popen = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=environ,
            start_new_session=True,
            **as_identity(user),
        )
    return Child(name, popen, log)


def open_many_files() -> None:
    """For this process and its children to be; the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def wait_until(child: Child, answers: Callable[[], bool]) -> None:
    """Raises StartError if the child ends, or does not answer in time."""
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while not answers():
        code = child.popen.poll()
        if code is not None:
            raise StartError(f"{child.name} ended with {code}: {last_line(child.log)}")
        if time.monotonic() > deadline:
            end(child, signal.SIGTERM)
            raise StartError(f"{child.name} does not answer: {last_line(child.log)}")
        time.sleep(POLL_SECONDS)


def last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return f"{lines[-1].strip()} (see {log})" if lines else f"see {log}"


def end(child: Child | None, sign: signal.Signals, patience: float = STOP_PATIENCE_SECONDS) -> None:
    """Asks first, and kills what does not go; returns when it is gone."""
    if child is None:
        return
    if child.is_alive():
        child.popen.send_signal(sign)
        try:
            child.popen.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(child.popen.pid, signal.SIGKILL)
    child.popen.wait()


def running_in(folder: Path, *names: str) -> list[psutil.Process]:
    """Processes whose working directory is this one, whose names begin like one of these (if any
    are given), and which no terminal holds: a person may look around in our folders."""
    found = []
    place = str(folder.resolve())
    for process in psutil.process_iter():
        try:
            is_here = process.name().startswith(names or "") and process.cwd() == place
            if is_here and not has_terminal(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


def has_terminal(process: psutil.Process) -> bool:
    """psutil only knows the terminals there were when it was asked first."""
    try:
        status = Path(f"/proc/{process.pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[TERMINAL_FIELD] != "0"


def end_all(processes: Iterable[psutil.Process], sign: signal.Signals) -> None:
    """Ends processes nobody waits for; the last word is SIGKILL."""
    listed = list(processes)
    for process in listed:
        send(process, sign)
    _, left = psutil.wait_procs(listed, STOP_PATIENCE_SECONDS)
    for process in left:
        send(process, signal.SIGKILL)
    _, left = psutil.wait_procs(left, STOP_PATIENCE_SECONDS)
    if left:
        raise SettingsError(f"process {left[0].pid} of an earlier run cannot be ended")


def send(process: psutil.Process, sign: signal.Signals) -> None:
    try:
        process.send_signal(sign)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise SettingsError(
            f"process {process.pid} of an earlier run belongs to another user"
        ) from None
