"""Starting, finding and stopping the owners of a Ray cluster; the client's channels to them."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.client import Ask, StockClient
from actors.directory import NAMESPACE, owner_name
from actors.owner import OwnerActor
from actors.stream import Address, StreamChannel
from infra.outage import Outage
from infra.settings import Settings

CALLS_LIMIT = 1_000
"""Calls in progress per owner; each API process has one or two."""
START_TIMEOUT_SECONDS = 60.0
DRAIN_TIMEOUT_SECONDS = 15.0
ASK_TIMEOUT_SECONDS = 5.0


def start(settings: Settings) -> list[int]:
    """Starts the owners that are not running yet; their process ids when all can work."""
    handles: list[Any] = [
        ray.remote(OwnerActor)
        .options(
            name=owner_name(index),
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=-1,
            max_task_retries=0,
            max_concurrency=CALLS_LIMIT,
        )
        .remote(index, settings)
        for index in range(settings.owners)
    ]
    try:
        pids: list[int] = ray.get(
            [h.ready.remote() for h in handles], timeout=START_TIMEOUT_SECONDS
        )
    except (RayError, GetTimeoutError) as error:
        raise Outage(f"the owners do not start: {type(error).__name__}") from error
    return pids


def drain(settings: Settings) -> None:
    """Lets every owner finish what it was asked, then ends it."""
    handles = find(settings)
    waiting: list[Any] = [handle.drain.remote() for handle in handles]
    if waiting:
        ray.wait(waiting, num_returns=len(waiting), timeout=DRAIN_TIMEOUT_SECONDS)
    for handle in handles:
        ray.kill(handle, no_restart=True)


def find(settings: Settings) -> list[Any]:
    found: list[Any] = []
    for index in range(settings.owners):
        try:
            found.append(ray.get_actor(owner_name(index), namespace=NAMESPACE))
        except ValueError:
            continue
    return found


def client(settings: Settings) -> StockClient:
    """The stock client of this process, which must be connected to the cluster."""
    handles = find(settings)
    if len(handles) != settings.owners:
        raise Outage(f"{len(handles)} of {settings.owners} owners are running")
    asking = Asking(handles)
    return StockClient(
        [StreamChannel(partial(address, handle)) for handle in handles],
        Ask(asking.stats, asking.resident, asking.ready),
    )


async def address(owner: Any) -> Address:
    try:
        found: Address = await owner.address.remote()
    except RayError as error:
        raise Outage(f"the owner does not answer: {type(error).__name__}") from error
    return found


class Asking:
    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = handles

    async def stats(self) -> list[dict[str, Any]]:
        asked = [answer_in_time(handle.stats.remote()) for handle in self.handles]
        answers = await asyncio.gather(*asked)
        return [answer for answer in answers if answer is not None]

    async def resident(self) -> list[bytes]:
        asked = [answer_in_time(handle.resident.remote()) for handle in self.handles]
        answers = await asyncio.gather(*asked)
        if None in answers:
            raise Outage("an owner does not answer")
        return answers

    async def ready(self) -> bool:
        asked = [answer_in_time(handle.ready.remote()) for handle in self.handles]
        return None not in await asyncio.gather(*asked)


async def answer_in_time(reference: Any) -> Any:
    try:
        async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
            return await reference
    except (TimeoutError, RayError):
        return None
