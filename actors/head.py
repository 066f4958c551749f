"""The local Ray cluster of one home: a head node as a child process.

All of it listens on the loopback, behind a token of this home. A cluster keeps nothing that must
last, the ledger does: it is ended by killing it, after the owners have drained.
"""

import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

from infra.credentials import kept
from infra.embedded.places import SOCKET_PATH_LIMIT, Places, made, short_folder
from infra.embedded.process import Child, end_all, running_in, spawn, wait_until
from infra.settings import process_environ

LOOPBACK = "127.0.0.1"
OBJECT_STORE_BYTES = 80_000_000
"""About the least Ray accepts: calls carry bytes, no object of ours is stored."""

LONGEST_SOCKET = "/session_2011-12-09_12-50-00_000000_4194304/sockets/plasma_store"
CURRENT = "ray_current_cluster"
NAMES = ("ray", "gcs_server", "python")
OPEN = "t"
PROBE_TIMEOUT_SECONDS = 1.0
CONFIGURATION = {
    "task_events_report_interval_ms": 0,
    "enable_metrics_collection": False,
    "event_stats": False,
    "memory_monitor_refresh_ms": 0,
    "prestart_worker_first_driver": False,
}
"""No record of each call, which nobody reads; no worker that waits for tasks; and no killing of
owners because something else on the machine has taken its memory."""


PROMPT = {"RAY_worker_niceness": "0"}
"""Ray would run the owners at nice 15, behind every process that waits for their answers."""


def token_environ(home: Path) -> dict[str, str]:
    """What lets a process in: the token of this home, not one in the user's own folder."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(home / "ray.key")}


class Head:
    """`start` returns the address of the cluster."""

    name = "Ray"

    def __init__(self, places: Places, cores: int) -> None:
        self.cores = cores
        self.home = places.home
        self.folder = places.data("ray")
        self.log = places.log("ray")
        self.temporary = temporary_folder(places)
        self.child: Child | None = None

    def start(self) -> str:
        kept(self.home / "ray.key")
        self.stop()
        (self.temporary / CURRENT).unlink(missing_ok=True)
        forget_sessions(self.temporary)
        argv = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        self.child = spawn(self.name, argv + self.options(), self.log, self.folder, self.environ())
        wait_until(self.child, self.answers)
        return self.address()

    def is_alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def stop(self) -> None:
        """Kills whatever this home's cluster left running: it is known by its working directory."""
        end_all(running_in(self.folder, *NAMES), signal.SIGKILL)
        if self.child is not None:
            self.child.popen.wait()

    def options(self) -> list[str]:
        """Every port is a free one. The workers' are found by the kernel."""
        return [
            f"--node-ip-address={LOOPBACK}",
            "--port=0",
            "--dashboard-port=0",
            "--dashboard-agent-listen-port=0",
            "--min-worker-port=0",
            "--max-worker-port=0",
            "--include-dashboard=false",
            "--include-log-monitor=false",
            "--no-monitor",
            "--disable-usage-stats",
            f"--num-cpus={self.cores}",
            f"--object-store-memory={OBJECT_STORE_BYTES}",
            f"--temp-dir={self.temporary}",
            f"--system-config={json.dumps(CONFIGURATION)}",
        ]

    def environ(self) -> dict[str, str]:
        """Without the second variable Ray replaces the loopback by the machine's own address, and
        then listens on all of them."""
        inherited = {k: v for k, v in process_environ().items() if not k.startswith("RAY_")}
        loopback = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
        return inherited | token_environ(self.home) | loopback | PROMPT

    def address(self) -> str:
        try:
            return (self.temporary / CURRENT).read_text().strip()
        except FileNotFoundError:
            return ""

    def answers(self) -> bool:
        host, _, port = self.address().rpartition(":")
        if not host:
            return False
        try:
            socket.create_connection((host, int(port)), PROBE_TIMEOUT_SECONDS).close()
        except OSError:
            return False
        return True


def temporary_folder(places: Places) -> Path:
    """Ray opens its folder to everybody, so it lies in one that is closed. Its sockets have long
    names, so that one is often not below home."""
    closed = places.home / "run" / "ray"
    longest = len(os.fsencode(closed / OPEN)) + len(LONGEST_SOCKET)
    if longest <= SOCKET_PATH_LIMIT:
        return made(made(closed) / OPEN)
    return made(short_folder(places.home, "ray") / OPEN)


def forget_sessions(temporary: Path) -> None:
    """Keeps the logs of the latest session and of no other."""
    for session in sorted(temporary.glob("session_2*"))[:-1]:
        shutil.rmtree(session, ignore_errors=True)
