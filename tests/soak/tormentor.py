"""Kills parts of a shop in an order that chance gives, and waits each time until all of it works
again. Every process is found below the shop's own and ended by its own id."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from random import Random
from time import monotonic

import psutil

from tests.integration.caller import LEVEL
from tests.integration.whole import Kind, Whole, is_alive
from tests.soak.buyers import Buyers

HEAL_SECONDS = 240.0
POLL_SECONDS = 0.2
PROGRESS = 30
"""Calls that are answered between two troubles."""
OWNER = "ray::OwnerActor"


def named(name: str) -> Kind:
    return lambda process: process.name().startswith(name[:15])


def running(words: str) -> Kind:
    return lambda process: words in " ".join(process.cmdline())


PARTS: dict[str, Kind] = {
    "an owner": named(OWNER),
    "Ray's GCS": named("gcs_server"),
    "Ray's raylet": named("raylet"),
    "PostgreSQL": named("postgres"),
    "NATS": named("nats-server"),
    "Redis": named("redis-server"),
    "the relay": running("infra.relay"),
    "an API worker": running("api.app:create_app"),
}
SLOW = ("Ray's GCS", "Ray's raylet")
"""The head of Ray takes up to minutes to come back on a busy machine."""


def parent(process: psutil.Process) -> int | None:
    """None where it has gone since it was seen."""
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None


class Tormentor:
    def __init__(
        self, shop: Whole, buyers: Buyers, chance: Random, kinds: Iterable[str] = PARTS
    ) -> None:
        self.shop = shop
        self.buyers = buyers
        self.chance = chance
        self.all_kinds = sorted(kinds)
        self.kinds: list[str] = []
        self.least = self.standing() | {"an owner": shop.settings.owners}

    def processes(self, kind: str) -> list[psutil.Process]:
        """Of a server that has children of its own kind only the first."""
        found = [part for part in self.shop.parts() if is_alive(part, PARTS[kind])]
        pids = {process.pid for process in found}
        if kind == "PostgreSQL":
            return [process for process in found if parent(process) not in pids]
        if kind == "an API worker":
            return [process for process in found if parent(process) in pids] or found
        return found

    def standing(self) -> dict[str, int]:
        return {kind: len(self.processes(kind)) for kind in PARTS}

    def strike(self) -> str:
        """Every kind once, in a new order, before any comes again."""
        self.kinds = self.kinds or self.chance.sample(self.all_kinds, len(self.all_kinds))
        kind = self.kinds.pop()
        with suppress(psutil.NoSuchProcess):
            self.chance.choice(self.processes(kind)).kill()
        return kind

    async def torment(self) -> tuple[str, float]:
        """One trouble: what it was, and the seconds until all was well again."""
        kind = await asyncio.to_thread(self.strike)
        began = monotonic()
        async with asyncio.timeout(HEAL_SECONDS):
            await self.healed()
        await self.buyers.more(PROGRESS)
        return kind, monotonic() - began

    async def healed(self) -> None:
        """All parts stand, and every cell's owner answers. Spare owners come and go."""
        standing: dict[str, int] = {}
        while any(standing.get(kind, 0) < least for kind, least in self.least.items()):
            await asyncio.sleep(POLL_SECONDS)
            standing = await asyncio.to_thread(self.standing)
        for cell in self.buyers.cells:
            await self.buyers.caller.ask(LEVEL, **cell._asdict(), consistency="STRONG")
