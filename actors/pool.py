"""The owner processes as Ray actors: named, detached, and started again by Ray when they die. What
they do is theirs to find out: a process takes a free seat, or stands by as a spare."""

import asyncio
from itertools import count, islice
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayError
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.directory import NAMESPACE
from actors.owner import OwnerActor
from infra.settings import Settings

CALLS_LIMIT = 100
"""Calls in progress per owner; only the keeper makes any."""
READY_SECONDS = 5.0
PREFIX = "owner-"


class Member(NamedTuple):
    """`seat` is None for a spare."""

    name: str
    pid: int
    seat: str | None


def names() -> list[str]:
    return sorted(name for name in list_named_actors() if name.startswith(PREFIX))


def begin(settings: Settings, number: int) -> None:
    """So many processes more, unless they run already. Each prefers the node that its number
    names: Ray's own SPREAD goes by what one node has heard of the others, at times nothing."""
    taken = set(names())
    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = sorted(node["NodeID"] for node in known if node["Alive"])
    free = (index for index in count() if f"{PREFIX}{index}" not in taken)
    for index in islice(free, number):
        node = nodes[index % len(nodes)]
        ray.remote(OwnerActor).options(
            name=f"{PREFIX}{index}",
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True),
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=CALLS_LIMIT,
        ).remote(settings)


def handle(name: str) -> Any:
    return ray.get_actor(name, namespace=NAMESPACE)


async def member(name: str) -> Member | None:
    """None: it is not there at this moment."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            pid, seat = await handle(name).ready.remote()
    except (RayError, ValueError, TimeoutError):
        return None
    return Member(name, pid, seat)


def drain(patience_seconds: float) -> None:
    """Lets every owner finish what it was asked, then ends it."""
    handles = [handle(name) for name in names()]
    waiting: list[Any] = [each.drain.remote() for each in handles]
    if waiting:
        ray.wait(waiting, num_returns=len(waiting), timeout=patience_seconds)
    for each in handles:
        ray.kill(each, no_restart=True)


def end(name: str) -> None:
    ray.kill(handle(name), no_restart=True)
