"""Fan-out: thousands of WebSocket subscribers of one cell on one API process while it changes
thousands of times a second, beside plain Strawberry's own handler over the same feed; and what an
idle subscriber weighs."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from os import getpid
from typing import NamedTuple
from uuid import uuid4

import msgspec
import psutil
import uvloop

from actors import owners
from actors.client import Answer, StockClient
from actors.wire import Done
from benchmarks.crowd import Listening, listening
from benchmarks.figures import Row, Section, at_least, at_most
from benchmarks.graphql import rival_at, rival_database
from benchmarks.listeners import Heard, Orders
from benchmarks.load import Roles, cpu_seconds, spread
from benchmarks.pressure import TICK_SECONDS
from benchmarks.shop import SKU, WAREHOUSE, Shop, shop
from benchmarks.stock import BUYER, CALLER, FINGERPRINT
from domain.commands import CellKey, Line, Request, Reserve
from domain.ledger import Note
from infra.clock import SystemClock
from infra.database import close_database, open_database
from infra.settings import Settings

CHANGED = f"""subscription {{
  stockChanged(filter: {{skus: ["{SKU}"]}}) {{
    sku {{ code }} warehouse {{ code }} available reserved seq asOf
  }}
}}"""
NAME, RIVAL = "our WebSocket", "Strawberry's WebSocket"
SUBSCRIBERS = (2_000, 5_000)
RIVAL_POOL = 2
CHANGES_PER_SECOND = 5_000
CHANGES_IN_FLIGHT = 2_000
RUN_UP_SECONDS = 1.0
TTL = timedelta(hours=1)
FEW = 50
"""Subscribers who come before the weighing, so that what the first ones cost is not weighed."""
KIBIBYTE = 1_024
Say = Callable[[str], None]


class Reading(NamedTuple):
    """`changes` per second were answered meanwhile; CPU is in shares of one core."""

    heard: Heard
    changes: float
    cpu: dict[str, float]


class Place(NamedTuple):
    """Where subscribers of one kind go, and which processes answer them."""

    name: str
    port: int
    pids: list[int]
    waits: bool


def section(rounds: int, seconds: float, about: dict[str, str], say: Say) -> Section:
    with shop() as started, ExitStack() as stack:
        started.wait()
        started.fill()
        url = uvloop.run(rival_database(started))
        rival = stack.enter_context(rival_at(started, url, RIVAL_POOL))
        started.settle()
        api = list(started.roles()["api"])
        places = [
            Place(NAME, started.port, api, True),
            Place(RIVAL, rival.port, rival.pids, False),
        ]
        say("idle subscribers")
        weight = idle_weight(started, places[0], SUBSCRIBERS[0])
        found: dict[tuple[str, int], list[Reading]] = {}
        for index in range(rounds):
            for place in places[:: -1 if index % 2 else 1]:
                say(f"fan-out, round {index + 1} of {rounds}: {place.name}")
                reading = read(started, place, SUBSCRIBERS[0], seconds)
                found.setdefault((place.name, SUBSCRIBERS[0]), []).append(reading)
            say(f"fan-out, round {index + 1} of {rounds}: {SUBSCRIBERS[1]:,} subscribers")
            reading = read(started, places[0], SUBSCRIBERS[1], seconds)
            found.setdefault((NAME, SUBSCRIBERS[1]), []).append(reading)
    return told(found, weight, rounds, seconds, about)


def told(
    found: dict[tuple[str, int], list[Reading]],
    weight: float,
    rounds: int,
    seconds: float,
    about: dict[str, str],
) -> Section:
    rows = [
        Row(
            name,
            subscribers,
            spread([one.heard.per_second for one in readings]),
            "frames/s",
            spread([one.heard.p50_ms for one in readings]).median,
            spread([one.heard.p99_ms for one in readings]).median,
            {
                role: spread(
                    [1e6 * one.cpu[role] / one.heard.per_second for one in readings]
                ).median
                for role in readings[0].cpu
            },
        )
        for (name, subscribers), readings in found.items()
    ]
    rows += [
        Row(
            f"changes meanwhile, {name}",
            subscribers,
            spread([r.changes for r in readings]),
            "per s",
        )
        for (name, subscribers), readings in found.items()
    ]
    rows.append(Row("an idle subscriber", SUBSCRIBERS[0], spread([weight / KIBIBYTE]), "KiB"))
    ours, theirs = found[NAME, SUBSCRIBERS[0]], found[RIVAL, SUBSCRIBERS[0]]
    frames = spread([one.heard.per_second for one in ours]).median
    times = [a.heard.per_second / b.heard.per_second for a, b in zip(ours, theirs, strict=True)]
    floors = [
        at_least(f"frames/s to {SUBSCRIBERS[0]:,} subscribers", frames, 10_000, "frames/s"),
        at_most("their lag, p99", spread([r.heard.p99_ms for r in ours]).median, 250, "ms"),
        at_least("our WebSocket by Strawberry's", spread(times).median, 5, "times"),
        at_most("an idle subscriber", weight / KIBIBYTE, 40, "KiB"),
    ]
    remarks = [
        f"{rounds} rounds in turns, {seconds:g} s each; one cell, for which {CHANGES_PER_SECOND:,}"
        " reservations a second are asked; lag is from a change to its frame in the subscriber's"
        " process; the newest change wins, so not every change is a frame",
        "CPU is per frame; client is the process that reserves and listeners that which subscribes",
    ]
    return Section("Fan-out", about, remarks, rows, floors)


def read(started: Shop, place: Place, subscribers: int, seconds: float) -> Reading:
    settings = started.settings()
    orders = Orders(place.port, subscribers, started.token(), CHANGED, place.waits)
    with listening(orders) as crowd:
        roles: Roles = {
            "client": [getpid()],
            "listeners": [crowd.popen.pid],
            **started.roles(),
            "api": place.pids,
        }
        return uvloop.run(measured(settings, crowd, seconds, roles))


async def measured(settings: Settings, crowd: Listening, seconds: float, roles: Roles) -> Reading:
    await open_database(settings.database_url)
    stock = owners.client(settings)
    try:
        changes = Changes(stock)
        making = asyncio.create_task(changes.make(RUN_UP_SECONDS + seconds))
        await asyncio.sleep(RUN_UP_SECONDS)
        before, answered = cpu_seconds(roles), changes.answered
        heard = await asyncio.to_thread(crowd.measure, seconds)
        spent = {role: (cpu - before[role]) / seconds for role, cpu in cpu_seconds(roles).items()}
        made = (changes.answered - answered) / seconds
        await making
        return Reading(heard, made, spent)
    finally:
        stock.close()
        await close_database()


class Changes:
    """Reservations at a fixed rate, as long as their answers keep up."""

    def __init__(self, stock: StockClient) -> None:
        self.stock = stock
        self.key = CellKey(SKU, WAREHOUSE)
        self.deadline = SystemClock().now() + TTL
        self.answered = 0
        self.in_flight = 0
        self.is_over = False
        self.all_answered = asyncio.Event()

    async def make(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        clock = loop.time
        begun = clock()
        sent = 0
        while (passed := clock() - begun) < seconds:
            due = int(passed * CHANGES_PER_SECOND) - sent
            for _ in range(min(due, CHANGES_IN_FLIGHT - self.in_flight)):
                loop.create_task(self.stock.submit(self.request())).add_done_callback(self.done)
                self.in_flight += 1
            sent += due
            await asyncio.sleep(TICK_SECONDS)
        self.is_over = True
        if self.in_flight:
            await self.all_answered.wait()

    def request(self) -> Request:
        id = uuid4()
        lines = (Line(self.key, Reserve(id, 1, self.deadline)),)
        return Request(id, FINGERPRINT, self.key, lines, Note(CALLER), BUYER)

    def done(self, answer: asyncio.Task[Answer]) -> None:
        assert isinstance(answer.result(), Done), answer.result()
        self.in_flight -= 1
        self.answered += 1
        if self.is_over and not self.in_flight:
            self.all_answered.set()


def idle_weight(started: Shop, place: Place, subscribers: int) -> float:
    """Bytes by which the API process grows for each, when nothing changes."""
    worker = max(place.pids, key=resident)
    few = Orders(place.port, FEW, started.token(), CHANGED, place.waits)
    with listening(few):
        before = resident(worker)
        with listening(msgspec.structs.replace(few, subscribers=subscribers)):
            time.sleep(RUN_UP_SECONDS)
            return (resident(worker) - before) / subscribers


def resident(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)
