"""A Ray cluster of three nodes on this machine, in a process of its own, so that it ends with it.

`python -m tests.integration.nodes ADDRESS` writes where it is, then kills one node per line that it
is given, always one without the head that hosts owners.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray.cluster_utils import Cluster

from actors.head import OBJECT_STORE_BYTES, token_environ
from infra.credentials import kept
from tests.integration.whole import Whole, kill_all

NODES = 3
START_SECONDS = 120.0
POLL_SECONDS = 0.1
BOUNDS: dict[str, Any] = {
    "num_cpus": 1,
    "object_store_memory": OBJECT_STORE_BYTES,
    "include_dashboard": False,
}


def main(address: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args=BOUNDS)
    others = [cluster.add_node(**BOUNDS) for _ in range(NODES - 1)]
    address.write_text(cluster.address)
    for _ in sys.stdin:
        doomed = max(others, key=lambda node: len(owners_of(raylet_of(node))))
        others.remove(doomed)
        cluster.remove_node(doomed, allow_graceful=False)
        print("killed", flush=True)


def raylet_of(node: Any) -> psutil.Process:
    return psutil.Process(node.all_processes["raylet"][0].process.pid)


def owners_of(raylet: psutil.Process) -> list[int]:
    """The owners' processes on its node, spares too."""
    return [c.pid for c in raylet.children() if c.name().startswith("ray::OwnerActor"[:15])]


class Nodes:
    def __init__(self, popen: "subprocess.Popen[str]", address: str) -> None:
        self.popen = popen
        self.address = address

    def raylets(self) -> dict[int, list[int]]:
        """The owners' processes by their node's."""
        parts = psutil.Process(self.popen.pid).children(recursive=True)
        return {part.pid: owners_of(part) for part in parts if part.name() == "raylet"}

    def kill_one(self) -> None:
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()
        assert self.popen.stdout.readline() == "killed\n"


@contextmanager
def nodes(shop: Whole) -> Iterator[Nodes]:
    """Skips, and says why, where this machine does not carry them."""
    shop.home.mkdir(parents=True)
    kept(shop.home / "ray.key")
    place, output = shop.home / "nodes", shop.home.with_suffix(".nodes")
    inherited = {k: v for k, v in shop.environ.items() if not k.startswith("RAY_")}
    loopback = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    with output.open("w") as errors:
        popen = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.nodes", str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=inherited | token_environ(shop.home) | loopback,
            text=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not place.exists():
            if popen.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"three Ray nodes do not start here: {output.read_text()[-300:]}")
            time.sleep(POLL_SECONDS)
        yield Nodes(popen, place.read_text())
    finally:
        parts = psutil.Process(popen.pid).children(recursive=True)
        kill_all([*parts, psutil.Process(popen.pid)])
        popen.communicate()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
