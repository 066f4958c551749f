"""The Python processes of a running shop, beside its servers: owners' keeper, relay, API, demo.

Each works in a folder of its own below home, by which one that outlived its supervisor is known.
"""

import dataclasses
import http.client
import signal
import ssl
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from actors.head import token_environ
from infra.embedded.places import Places
from infra.embedded.process import (
    Child,
    Server,
    StartError,
    end,
    end_all,
    last_line,
    running_in,
    spawn,
    wait_until,
)
from infra.settings import Settings, process_environ
from infra.tls import LEAST

PROBE_TIMEOUT_SECONDS = 5.0
STOP_PATIENCE_SECONDS = 25.0
"""More than owners take to drain, or a worker of the API to close its sockets."""

WORKER_STOP_SECONDS = 10
RESPAWN_SECONDS = 0.5
CONNECTIONS_LIMIT = 20_000
"""Per worker of the API, open ones: what is beyond it waits in the backlog, unanswered. An idle
connection and a WebSocket count like any other, so this is far above the requests at work."""

BACKLOG = 4_096
"""Connections that are not taken yet: a crowd that comes in one moment must not be turned away."""

PLAYED = "played"
PYTHON = "python"
FIELDS = ("database_url", "nats_url", "redis_url", "ray_address")
CLUSTER = "ray_address"
"""Who has joined a Ray cluster ends with it: the next one is another."""
STORES = frozenset({"database_url", "nats_url", "redis_url"})
OWNERS = frozenset({"database_url", CLUSTER})
FOLDERS = ("demo", "api", "owners", "relay", "migrate")
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


FAILURES = "RAY_testing_"


def always() -> bool:
    return True


class Part(Server, Protocol):
    """`needs` are the settings whose servers it stands on. What they do not name it never reads:
    the API finds the owners in the database, and goes on when their cluster is another."""

    needs: frozenset[str]

    def drop(self) -> None:
        """Ends it without asking: there is nobody left to whom it could say goodbye."""


class Job:
    """A process that runs our own code with given settings. It answers when `answers` says so."""

    def __init__(
        self,
        name: str,
        folder: str,
        places: Places,
        settings: Settings,
        argv: Sequence[str],
        answers: Callable[[], bool] = always,
        needs: frozenset[str] = STORES,
    ) -> None:
        self.name = name
        self.places = places
        self.folder = places.data(folder)
        self.log: Path | None = None
        self.needs = needs
        self.environ = child_environ(dataclasses.replace(settings, migration_url=""))
        self.argv = argv
        self.answers = answers
        self.child: Child | None = None

    def start(self) -> str:
        end_all(running_in(self.folder, PYTHON), signal.SIGTERM)
        argv = [sys.executable, "-m", *self.argv]
        self.log = self.places.log(self.folder.name)
        self.child = spawn(self.name, argv, self.log, self.folder, self.environ)
        wait_until(self.child, self.answers)
        return ""

    def is_alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def stop(self) -> None:
        end(self.child, signal.SIGTERM, STOP_PATIENCE_SECONDS)

    def drop(self) -> None:
        end(self.child, signal.SIGKILL)


def child_environ(settings: Settings) -> dict[str, str]:
    """Ray's own variables are ours to set where the cluster is ours; its failures, which it makes
    on request, are for tests."""
    inherited = process_environ()
    if settings.ray_address.startswith("127.0.0.1:"):
        strange = {k for k in inherited if k.startswith("RAY_") and not k.startswith(FAILURES)}
        inherited = {k: v for k, v in inherited.items() if k not in strange}
        inherited |= token_environ(settings.home)
    return inherited | settings.environ()


def migrate(places: Places, settings: Settings) -> None:
    log = places.log("migrate")
    argv = [sys.executable, "-m", "infra.migrate"]
    child = spawn("migrations", argv, log, places.data("migrate"), child_environ(settings))
    if child.popen.wait():
        raise StartError(last_line(log))


def keeper(places: Places, settings: Settings) -> Job:
    ready = places.data("owners") / "ready"
    ready.unlink(missing_ok=True)
    argv = ("actors", str(ready))
    return Job("owners", "owners", places, settings, argv, ready.exists, OWNERS)


def relay(places: Places, settings: Settings) -> Job:
    return Job("relay", "relay", places, settings, ("infra.relay",))


def api(places: Places, settings: Settings) -> Job:
    argv = (
        *("granian", "api.app:create_app", "--factory", "--interface", "asgi"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--workers", str(settings.api_workers), "--loop", "uvloop", "--no-access-log"),
        *("--respawn-failed-workers", "--respawn-interval", str(RESPAWN_SECONDS)),
        *("--workers-kill-timeout", str(WORKER_STOP_SECONDS)),
        *("--backlog", str(BACKLOG), "--backpressure", str(CONNECTIONS_LIMIT)),
        *("--log-level", settings.log_level),
        *tls_arguments(settings),
    )
    return Job("API", "api", places, settings, argv, lambda: is_ready(settings))


def tls_arguments(settings: Settings) -> tuple[str, ...]:
    """HTTP/1.1 also there: a WebSocket needs it, and everything else was tested with it."""
    if not settings.has_tls:
        return ()
    return (
        *("--ssl-certificate", settings.tls_certificate, "--ssl-keyfile", settings.tls_key),
        *("--ssl-protocol-min", LEAST, "--http", "1"),
    )


def probe(settings: Settings) -> http.client.HTTPConnection:
    """It is our own child, under whatever name its certificate has, and is told no secret."""
    host = ANYWHERE.get(settings.host, settings.host)
    if not settings.has_tls:
        return http.client.HTTPConnection(host, settings.port, timeout=PROBE_TIMEOUT_SECONDS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(
        host, settings.port, timeout=PROBE_TIMEOUT_SECONDS, context=context
    )


def is_ready(settings: Settings) -> bool:
    connection = probe(settings)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def all_jobs(places: Places, settings: Settings) -> list[Part]:
    return [relay(places, settings), keeper(places, settings), api(places, settings)]


def demo(places: Places, settings: Settings) -> Job | None:
    """None once it has played to its end. One that was broken off goes on, though the catalogue is
    no longer empty."""
    folder = places.data("demo")
    if (folder / PLAYED).exists():
        return None
    begun = () if any(folder.glob("orders-*.csv")) else ("--if-empty",)
    return Job("demo shop", folder.name, places, settings, ("api.cli", "demo", *begun))
