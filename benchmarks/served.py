"""Other roads to the same stock, beside a running shop: one ASGI application in one granian worker,
started as the shop starts its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from api.jobs import BACKLOG, CONNECTIONS_LIMIT
from benchmarks.load import children_of
from benchmarks.shop import HOST, POLL_SECONDS, START_SECONDS, STOP_SECONDS, Shop
from infra.embedded.nats import free_port


class Served(NamedTuple):
    port: int
    pids: list[int]


@contextmanager
def served(shop: Shop, factory: str, environ: Mapping[str, str] | None = None) -> Iterator[Served]:
    """`factory` is module:function of an application that reads the shop's environment."""
    port = free_port(shop.home)
    log = shop.home / f"{factory.partition(':')[0]}.log"
    argv = [
        *(sys.executable, "-m", "granian", factory, "--factory", "--interface", "asgi"),
        *("--host", HOST, "--port", str(port), "--workers", "1", "--loop", "uvloop"),
        *("--no-access-log", "--log-level", "warning"),
        *("--backlog", str(BACKLOG), "--backpressure", str(CONNECTIONS_LIMIT)),
    ]
    with log.open("wb") as output:
        popen = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**shop.environ, **(environ or {})},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(port):
            if popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{factory} does not start: {log.read_text()[-2_000:]}")
            time.sleep(POLL_SECONDS)
        yield Served(port, [popen.pid, *(child.pid for child in children_of(popen.pid))])
    finally:
        popen.terminate()
        try:
            popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
