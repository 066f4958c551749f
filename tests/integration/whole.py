"""A whole shop as a person starts it: `onhand serve` as a child process, with a home and a port of
its own. Whatever it starts ends with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import psutil

from api.tokens import sign
from domain.access import EVERYWHERE, Role, Scope
from infra.clock import SystemClock
from infra.credentials import secret_key
from infra.embedded.ledger_server import LedgerServer
from infra.embedded.nats import free_port
from infra.embedded.places import prepare
from infra.running import attached
from infra.settings import Settings

START_SECONDS = 180.0
STOP_SECONDS = 90.0
COMMAND_SECONDS = 120.0
POLL_SECONDS = 0.1
UP = "Onhand is up."
TAIL = 3_000  # characters of the output that tell why it did not start


Kind = Callable[[psutil.Process], bool]


def anything(process: psutil.Process) -> bool:
    return True


def named(name: str) -> Kind:
    return lambda process: process.name() == name


def is_alive(process: psutil.Process, kind: Kind = anything) -> bool:
    """And of that kind. It may end while it is looked at."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and kind(process)
    except psutil.NoSuchProcess:
        return False


class Whole:
    """`owners` and `workers` are numbers of processes."""

    def __init__(self, home: Path, owners: int = 2, workers: int = 2) -> None:
        self.home = home
        self.port = free_port(home)
        self.output = home.with_suffix(".out")
        self.popen: subprocess.Popen[bytes] | None = None
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ONHAND_", "RAY_"))}
        ours = {"HOME": home, "PORT": self.port, "API_WORKERS": workers, "OWNERS": owners}
        self.environ = inherited | {f"ONHAND_{name}": str(value) for name, value in ours.items()}

    @property
    def url(self) -> str:
        scheme = "https" if "ONHAND_TLS_CERTIFICATE" in self.environ else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        """With the addresses of its servers, while it is up. An embedded database is shown as its
        owner sees it: tests look behind the shop, and do what it may not."""
        told = attached(Settings.load(self.environ))
        if "ONHAND_DATABASE_URL" in self.environ:
            return told
        return replace(told, database_url=LedgerServer(prepare(self.home)).owner_url)

    def token(
        self, role: Role = Role.ADMIN, subject: str = "tester", scope: Scope = EVERYWHERE
    ) -> str:
        settings = Settings.load(self.environ)
        return sign(secret_key(settings), subject, role, 1, SystemClock().now(), scope)

    def start(self) -> None:
        """Returns when it says that it is up."""
        self.start_without_waiting()
        deadline = time.monotonic() + START_SECONDS
        while UP not in self.output.read_text():
            assert self.popen is not None
            assert self.popen.poll() is None, self.output.read_text()[-TAIL:]
            assert time.monotonic() < deadline, self.output.read_text()[-TAIL:]
            time.sleep(POLL_SECONDS)

    def start_without_waiting(self) -> None:
        with self.output.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environ,
                start_new_session=True,
            )

    def stop(self) -> None:
        """As Ctrl-C does; what is left after STOP_SECONDS is killed, and that is an error."""
        if self.popen is None:
            return
        parts = self.parts()
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(STOP_SECONDS)
        finally:
            kill_all(
                [*parts, psutil.Process(self.popen.pid)] if self.popen.poll() is None else parts
            )
            self.popen.wait()
            self.popen = None

    def kill(self) -> None:
        """kill -9 of everything at once."""
        assert self.popen is not None
        kill_all([psutil.Process(self.popen.pid), *self.parts()])
        self.popen.wait()
        self.popen = None

    def parts(self) -> list[psutil.Process]:
        """All processes that it started, and those that these started."""
        if self.popen is None or self.popen.poll() is not None:
            return []
        return psutil.Process(self.popen.pid).children(recursive=True)

    def server(self, name: str) -> psutil.Process:
        """The embedded server of that process name."""
        self.until_served(name)
        (found,) = self.children(named(name))
        return found

    def until_served(self, *names: str) -> None:
        """Until the supervisor has started these servers again."""
        assert self.popen is not None
        deadline = time.monotonic() + START_SECONDS
        while not all(self.children(named(name)) for name in names):
            assert time.monotonic() < deadline, names
            time.sleep(POLL_SECONDS)

    def children(self, kind: Kind = anything) -> list[psutil.Process]:
        assert self.popen is not None
        started = psutil.Process(self.popen.pid).children()
        return [child for child in started if is_alive(child, kind)]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """An `onhand` command beside it."""
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *command],
            env=self.environ | {"COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )


def kill_all(processes: Iterable[psutil.Process]) -> None:
    listed = list(processes)
    for process in listed:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(listed, STOP_SECONDS)
