"""Lines of the log to a machine of their own, by syslog: RFC 5424 over a unix socket, UDP
(RFC 5426), TCP (RFC 6587, octets counted) or TLS (RFC 5425).

A thread sends what waits, in order, and connects again for as long as it takes. Whoever logs never
waits for it: what finds no room is counted, and the count is told when the receiver is back.
"""

import errno
import logging
import os
import queue
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

LOG = logging.getLogger("onhand.syslog")
PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
DATAGRAMS = ("unix", "udp")
WAITING_LIMIT = 10_000
"""Lines; some 5 MB."""
MESSAGE_LIMIT_BYTES = 60_000
"""What fits into a datagram; what is longer is cut off."""
CONNECT_SECONDS = 5.0
SEND_SECONDS = 5.0
WAITS_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Before each new attempt; the last one again and again."""
DRAIN_SECONDS = 2.0
"""What a process that ends waits for its last lines."""

FACILITY = 16
"""local0."""
SEVERITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
LEAST_SEVERE = 7
NAME_LIMIT = 32


def address(value: str) -> str:
    """As it is set; raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return value
    is_plain = not (parts.path or parts.query or parts.fragment or parts.username)
    if parts.scheme not in PORTS or not parts.hostname or not is_plain or parts.port == 0:
        raise ValueError("tls://HOST:PORT, tcp://HOST:PORT, udp://HOST:PORT or unix:///dev/log")
    return value


class Syslog(logging.Handler):
    """`url` as in `address`. Its formatter makes the text of a line."""

    def __init__(self, url: str, waiting_limit: int = WAITING_LIMIT) -> None:
        super().__init__()
        self.url = urlsplit(url)
        self.host = socket.gethostname() or "-"
        self.waiting: queue.Queue[bytes | None] = queue.Queue(waiting_limit)
        self.counting = threading.Lock()
        self.dropped = 0
        self.closing = threading.Event()
        self.is_lost = False
        self.link: socket.socket | None = None
        self.thread = threading.Thread(target=self.run, name="syslog", daemon=True)
        self.thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.waiting.put_nowait(self.message(record))
        except queue.Full:
            with self.counting:
                self.dropped += 1
        except Exception:  # tidy: allow broad-except: what cannot be formatted ends nobody
            self.handleError(record)

    def message(self, record: logging.LogRecord) -> bytes:
        severity = next((s for level, s in SEVERITIES if record.levelno >= level), LEAST_SEVERE)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        kind = "".join(c for c in record.name if "!" <= c <= "~")[:NAME_LIMIT] or "-"
        head = f"<{FACILITY * 8 + severity}>1 {at} {self.host} onhand {os.getpid()} {kind} - "
        return (head + self.format(record)).encode()[:MESSAGE_LIMIT_BYTES]

    def close(self) -> None:
        """What waits is given a moment, unless nobody takes it."""
        if self.is_lost:
            self.closing.set()
        with suppress(queue.Full):
            self.waiting.put_nowait(None)
        self.thread.join(DRAIN_SECONDS)
        self.closing.set()
        super().close()

    def run(self) -> None:
        while (message := self.waiting.get()) is not None and not self.closing.is_set():
            self.deliver(message)
        self.let_go()

    def deliver(self, message: bytes) -> None:
        """Until it is sent, or this process ends."""
        times = 0
        while not self.closing.is_set() and not self.is_delivered(message):
            self.closing.wait(WAITS_SECONDS[min(times, len(WAITS_SECONDS) - 1)])
            times += 1

    def is_delivered(self, message: bytes) -> bool:
        """Or given up, because no transport of this kind takes it."""
        try:
            self.send(message)
        except (OSError, UnicodeError) as error:
            self.let_go()
            is_too_long = isinstance(error, OSError) and error.errno == errno.EMSGSIZE
            if not is_too_long:
                self.lost(error)
                return False
            with self.counting:
                self.dropped += 1
        return True

    def send(self, message: bytes) -> None:
        """Raises OSError, or UnicodeError where a machine cannot be called that; then it may have
        arrived all the same, and is sent again."""
        if self.link is not None and self.url.scheme not in DATAGRAMS and has_ended(self.link):
            self.let_go()
        if self.link is None:
            self.link = connected(self.url)
        with self.counting:
            dropped = self.dropped
        if dropped:
            self.put(self.link, self.count_of(dropped))
            with self.counting:
                self.dropped -= dropped
        self.put(self.link, message)
        self.is_lost = False

    def put(self, link: socket.socket, message: bytes) -> None:
        if self.url.scheme in DATAGRAMS:
            link.send(message)
        else:
            link.sendall(b"%d %b" % (len(message), message))

    def count_of(self, dropped: int) -> bytes:
        text = "lines were left out: nobody took them"
        given = (logging.WARNING, "", 0, text, (), None)
        return self.message(LOG.makeRecord(LOG.name, *given, extra={"dropped": dropped}))

    def lost(self, error: Exception) -> None:
        """Told once, where the other lines go too."""
        if not self.is_lost:
            self.is_lost = True
            LOG.warning("syslog is not reached: %s", error)

    def let_go(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            with suppress(OSError):
                link.close()


def has_ended(link: socket.socket) -> bool:
    """A receiver says nothing, so what can be read is the end. Without this look the first lines
    after it would be lost: the kernel takes them."""
    link.settimeout(0)
    try:
        return link.recv(1_024) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        link.settimeout(SEND_SECONDS)


def connected(url: SplitResult) -> socket.socket:
    """Raises OSError, also where a certificate is not good."""
    link = CONNECT[url.scheme](url)
    link.settimeout(SEND_SECONDS)
    return link


def over_unix(url: SplitResult) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    return begun(link, url.path)


def over_udp(url: SplitResult) -> socket.socket:
    host, port = place_of(url)
    family, kind, protocol, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    return begun(socket.socket(family, kind, protocol), found)


def begun(link: socket.socket, to: object) -> socket.socket:
    try:
        link.connect(to)  # type: ignore[arg-type]
    except OSError:
        link.close()
        raise
    return link


def over_tcp(url: SplitResult) -> socket.socket:
    return socket.create_connection(place_of(url), CONNECT_SECONDS)


def over_tls(url: SplitResult) -> socket.socket:
    """Trusts the authorities of the system, or those of SSL_CERT_FILE."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    plain = over_tcp(url)
    try:
        return context.wrap_socket(plain, server_hostname=url.hostname)
    except OSError:
        plain.close()
        raise


def place_of(url: SplitResult) -> tuple[str, int]:
    return url.hostname or "", url.port or PORTS[url.scheme]


CONNECT: dict[str, Callable[[SplitResult], socket.socket]] = {
    "unix": over_unix,
    "udp": over_udp,
    "tcp": over_tcp,
    "tls": over_tls,
}
