"""A syslog receiver on this machine: takes messages over UDP, a unix socket, TCP or TLS, and may go
away and come back at the same address."""

import json
import re
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE_SECONDS = 30.0
LARGEST = 65_536
FORM = re.compile(
    r"<(?P<priority>\d+)>1 (?P<at>\S+) (?P<host>\S+) onhand (?P<pid>\d+) (?P<kind>\S+) - "
    r"(?P<text>.*)",
    re.DOTALL,
)


class Heard(NamedTuple):
    priority: int
    kind: str
    pid: int
    line: dict[str, Any]


def heard(message: bytes) -> Heard:
    found = FORM.fullmatch(message.decode())
    assert found is not None, message
    return Heard(
        int(found["priority"]), found["kind"], int(found["pid"]), json.loads(found["text"])
    )


class Receiver:
    """`folder` has the unix socket; `tls` is the server's context."""

    def __init__(self, kind: str, folder: Path, tls: ssl.SSLContext | None = None) -> None:
        self.kind = kind
        self.path = folder / "log"
        self.tls = tls
        self.port = 0
        self.messages: list[Heard] = []
        self.changed = threading.Condition()
        self.open: list[socket.socket] = []
        self.threads: list[threading.Thread] = []
        self.begin()

    @property
    def url(self) -> str:
        return (
            f"unix://{self.path}" if self.kind == "unix" else f"{self.kind}://localhost:{self.port}"
        )

    def begin(self) -> None:
        """At the same address as before."""
        if self.kind == "unix":
            self.path.unlink(missing_ok=True)
            own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            own.bind(str(self.path))
        elif self.kind == "udp":
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.bind(("127.0.0.1", self.port))
            self.port = own.getsockname()[1]
        else:
            own = socket.create_server(("127.0.0.1", self.port))
            self.port = own.getsockname()[1]
        self.open.append(own)
        self.work(self.take if self.kind in ("unix", "udp") else self.accept, own)

    def work(self, task: Any, link: socket.socket) -> None:
        thread = threading.Thread(target=task, args=(link,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def end(self) -> None:
        for link in self.open:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
        self.open.clear()
        self.threads.clear()
        self.path.unlink(missing_ok=True)

    def take(self, own: socket.socket) -> None:
        own.settimeout(0.05)
        while own.fileno() >= 0:
            with suppress(OSError):
                if message := own.recv(LARGEST):
                    self.add(message)

    def accept(self, own: socket.socket) -> None:
        with suppress(OSError):
            while True:
                link, _ = own.accept()
                self.open.append(link)
                self.work(self.read, link)

    def read(self, link: socket.socket) -> None:
        """Octets counted: how many, a space, the message."""
        with suppress(OSError):
            taken = self.tls.wrap_socket(link, server_side=True) if self.tls else link
            self.open.append(taken)
            with taken, taken.makefile("rb") as stream:
                while (count := self.count_in(stream)) is not None:
                    self.add(stream.read(count))

    def count_in(self, stream: Any) -> int | None:
        digits = b""
        while (one := stream.read(1)) not in (b" ", b""):
            digits += one
        return int(digits) if one else None

    def add(self, message: bytes) -> None:
        with self.changed:
            self.messages.append(heard(message))
            self.changed.notify_all()

    def until(self, *texts: str) -> list[Heard]:
        """What was heard, as soon as all these messages are among it."""

        def is_there() -> bool:
            return set(texts) <= {one.line["message"] for one in self.messages}

        with self.changed:
            assert self.changed.wait_for(is_there, PATIENCE_SECONDS), self.messages
            return list(self.messages)
