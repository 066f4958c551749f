"""A whole shop as a person starts it: `onhand serve` as a child process with a home and a port of
its own, ended with everything that it started."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from api.tokens import sign
from benchmarks.ground import temporary_home
from benchmarks.load import Roles, children_of, cpu_of
from domain.access import Role
from infra.clock import SystemClock
from infra.credentials import secret_key
from infra.embedded.nats import free_port
from infra.running import attached
from infra.settings import Settings, process_environ

START_SECONDS = 120.0
STOP_SECONDS = 60.0
ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.02
SETTLE_SECONDS = 30.0
IDLE_SECONDS = 1.0
IDLE_SHARE = 0.2
"""Of one core: less than that, and the shop is at rest."""
HOST = "127.0.0.1"
SKU, WAREHOUSE = "HOT-1", "MAIN"
PLENTY = 900_000_000
SHORT_NAMES = {"postgres": "postgres", "redis-server": "redis", "nats-server": "nats"}

FILL = """
mutation ($skus: [SkuRow!]!, $warehouses: [WarehouseRow!]!, $goods: ReceiveStockInput!) {
  upsertSkus(rows: $skus) { ok }
  upsertWarehouses(rows: $warehouses) { ok }
  receiveStock(input: $goods) { __typename }
}
"""
RESERVE = """
mutation ($input: ReserveStockInput!) {
  reserveStock(input: $input) {
    __typename
    ... on Reservation { id state expiresAt lines { sku warehouse quantity seq availableAfter } }
    ... on Refusal { code message }
  }
}
"""


class Shop:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port(home)
        self.log = home / "serve.log"
        ours = {"HOME": home, "HOST": HOST, "PORT": self.port}
        inherited = {
            name: value
            for name, value in process_environ().items()
            if not name.startswith(("ONHAND_", "RAY_"))
        }
        self.environ = inherited | {f"ONHAND_{name}": str(value) for name, value in ours.items()}
        with self.log.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environ,
                start_new_session=True,
            )

    def token(self) -> str:
        settings = Settings.load(self.environ)
        return sign(secret_key(settings), "bench", Role.ADMIN, 1, SystemClock().now())

    def wait(self) -> None:
        """Until it is ready to sell."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the shop does not start: {self.log.read_text()[-2_000:]}")
            time.sleep(POLL_SECONDS)

    def is_ready(self) -> bool:
        try:
            url = f"http://{HOST}:{self.port}/health/ready"
            return httpx.get(url, timeout=ANSWER_SECONDS).is_success
        except httpx.HTTPError:
            return False

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answer = httpx.post(
            f"http://{HOST}:{self.port}/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {self.token()}"},
            timeout=ANSWER_SECONDS,
        ).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def fill(self) -> None:
        """One SKU in one warehouse, and plenty of it."""
        goods = {
            "id": str(SystemClock().new_id()),
            "sku": SKU,
            "warehouse": WAREHOUSE,
            "quantity": PLENTY,
        }
        answer = self.ask(
            FILL,
            {
                "skus": [{"code": SKU, "name": "hot"}],
                "warehouses": [{"code": WAREHOUSE, "name": "main", "region": "X"}],
                "goods": goods,
            },
        )
        assert answer["receiveStock"]["__typename"] == "StockLevel", answer

    def reserve(self) -> None:
        answer = self.ask(RESERVE, {"input": reservation()})
        assert answer["reserveStock"]["__typename"] == "Reservation", answer

    def settle(self) -> None:
        """Until what is started behind a ready shop (Ray's agents) has started too, or for so
        long."""
        deadline = time.monotonic() + SETTLE_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(IDLE_SECONDS)
            now = self.cpu_seconds()
            if now - before < IDLE_SHARE * IDLE_SECONDS:
                return
            before = now

    def settings(self) -> Settings:
        """Of a command that works beside it."""
        return attached(Settings.load(self.environ))

    def roles(self) -> Roles:
        """The shop's processes by what they are for, by their name or the folder they work in."""
        roles: dict[str, list[int]] = {}
        for process in children_of(self.popen.pid):
            roles.setdefault(role_of(process, self.home), []).append(process.pid)
        return roles

    def cpu_seconds(self) -> float:
        """Of everything that was started so far, and has ended since or not."""
        own = psutil.Process(self.popen.pid).cpu_times()
        running = [process.pid for process in children_of(self.popen.pid)]
        ended = own.children_user + own.children_system
        return own.user + own.system + ended + sum(map(cpu_of, running))

    def stop(self) -> None:
        """As Ctrl-C does; what is left afterwards is killed by its id."""
        started = children_of(self.popen.pid) if self.popen.poll() is None else []
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for process in psutil.wait_procs(started, timeout=POLL_SECONDS)[1]:
            process.kill()


@contextmanager
def shop() -> Iterator[Shop]:
    """One that has just been asked to start."""
    with temporary_home() as home:
        started = Shop(home)
        try:
            yield started
        finally:
            started.stop()


def reservation() -> dict[str, Any]:
    return {
        "id": str(SystemClock().new_id()),
        "lines": [{"sku": SKU, "warehouse": WAREHOUSE, "quantity": 1}],
        "ttlSeconds": 3_600,
        "customer": "customer-4711",
        "channel": "web",
    }


def role_of(process: psutil.Process, home: Path) -> str:
    name = process.name()
    if name in SHORT_NAMES:
        return SHORT_NAMES[name]
    if " ".join(process.cmdline()).startswith("ray::Owner"):
        return "owners"
    folder = Path(process.cwd())
    return folder.name if folder.parent == home else "ray"
