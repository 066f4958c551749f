"""`reserveStock` over HTTP against a whole running shop: parsed, permitted, decided, committed,
answered. Beside it, in turns: the same road without the GraphQL layer, and plain Strawberry with a
transaction per request."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from os import getpid
from typing import NamedTuple

import asyncpg
import uvloop

from benchmarks import bare
from benchmarks.buyers import ID, Endpoint, buyers_at
from benchmarks.figures import Floor, Row, Section, at_least, at_most, ratio
from benchmarks.load import Reading, Roles, Spread, closed_loop, spread
from benchmarks.pressure import percentile
from benchmarks.race import WARM_UP_SECONDS, Result
from benchmarks.rival_strawberry import RIVAL_POOL, RIVAL_URL
from benchmarks.served import Served, served
from benchmarks.shop import PLENTY, RESERVE, SKU, WAREHOUSE, Shop, reservation, shop
from infra.database import migrate
from infra.embedded.ledger_server import LedgerServer
from infra.embedded.places import prepare

NAME, BARE, RIVAL = "GraphQL reserveStock", "bare route", "Strawberry and Tortoise"
CONNECTIONS = (64, 256)
POOL_SIZES = (2, 4, 8, 16)
SWEEP_CONNECTIONS = 64
GRAPHQL_ACCEPTED = b'"Reservation"'
"""Strawberry writes a space before it, and we do not."""
MAKE_RIVAL = """
WITH made AS (INSERT INTO sku (code, name, is_active) VALUES ($1, $1, true) RETURNING id),
house AS (INSERT INTO warehouse (code, name, region, priority, is_active)
  VALUES ($2, $2, 'X', 100, true) RETURNING id)
INSERT INTO cell (sku_id, warehouse_id, available, version, seq, floor, reserved, quarantined,
  damaged, as_of)
SELECT made.id, house.id, $3, 0, 0, 0, 0, 0, 0, now() FROM made, house
"""
Say = Callable[[str], None]


class Road(NamedTuple):
    """`roles` are the processes that one road needs and the others do not."""

    name: str
    endpoint: Endpoint
    roles: Roles


class Half(NamedTuple):
    """Seconds, sorted, at half of the rate that a closed loop reached in the same round."""

    connections: int
    latencies: list[float]


def section(rounds: int, seconds: float, about: dict[str, str], say: Say) -> Section:
    with shop() as started, ExitStack() as stack:
        started.wait()
        started.fill()
        url = uvloop.run(rival_database(started))
        started.settle()
        body = json.dumps({"query": RESERVE, "variables": {"input": reservation() | {"id": ID}}})
        beside = stack.enter_context(served(started, "benchmarks.bare:create_app"))
        roads = [
            Road(
                NAME,
                Endpoint(started.port, "/graphql", body, GRAPHQL_ACCEPTED, started.token()),
                {},
            ),
            Road(
                BARE,
                Endpoint(beside.port, bare.PATH, bare.BODY, bare.ACCEPTED),
                {"api": beside.pids},
            ),
        ]
        rates = sweep(started, url, body, seconds, say)
        pool = max(rates, key=rates.__getitem__)
        rival = stack.enter_context(rival_at(started, url, pool))
        roads.append(
            Road(
                RIVAL, Endpoint(rival.port, "/graphql", body, GRAPHQL_ACCEPTED), {"api": rival.pids}
            )
        )
        results, halves = race(started, roads, rounds, seconds, say)
    remarks = [
        "a whole shop from `onhand serve` with one API worker; each other road in one granian"
        " worker of its own, with uvloop; the client keeps connections",
        f"{rounds} rounds in turns, {seconds:g} s per reading",
        f"{RIVAL}: a pool of {pool}; accepted/s by pool size at {SWEEP_CONNECTIONS} connections: "
        + ", ".join(f"{size}: {rate:,.0f}" for size, rate in rates.items()),
    ]
    rows = [Row.of(result) for result in results]
    tails = {connections: tail(halves, connections) for connections in CONNECTIONS}
    rows += [
        Row(f"{NAME} at half of that rate: p99", connections, one, "ms")
        for connections, one in tails.items()
    ]
    worst = max(one.median for one in tails.values())
    floors = [
        *against(results),
        at_most("p99 at half of the own maximum, GraphQL", worst, 40, "ms"),
    ]
    return Section("GraphQL over HTTP", about, remarks, rows, floors)


def against(results: list[Result]) -> list[Floor]:
    floors = []
    for connections in CONNECTIONS:
        for other, wanted in ((RIVAL, 3.0), (BARE, 0.5)):
            found = ratio(results, NAME, other, connections)
            assert found is not None
            what = f"{NAME} by {other}, {connections} connections"
            floors.append(at_least(what, found.median, wanted, "times"))
    return floors


def tail(halves: list[Half], connections: int) -> Spread:
    found = [half.latencies for half in halves if half.connections == connections]
    return spread([percentile(latencies, 0.99) for latencies in found])


async def rival_database(started: Shop) -> str:
    """The same tables in another database of the same server, with one cell of its own. The shop's
    role may make none."""
    url = LedgerServer(prepare(started.home)).owner_url
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE rival")
    await connection.close()
    theirs = url.replace("/onhand?", "/rival?")
    await migrate(theirs)
    connection = await asyncpg.connect(theirs)
    await connection.execute(MAKE_RIVAL, SKU, WAREHOUSE, PLENTY)
    await connection.close()
    return theirs


def rival_at(started: Shop, url: str, pool: int) -> AbstractContextManager[Served]:
    given = {RIVAL_URL: url, RIVAL_POOL: str(pool)}
    return served(started, "benchmarks.rival_strawberry:create_app", given)


def sweep(started: Shop, url: str, body: str, seconds: float, say: Say) -> dict[int, float]:
    """The rival's rate by the size of its pool."""
    rates = {}
    for size in POOL_SIZES:
        say(f"{RIVAL}, a pool of {size}")
        with rival_at(started, url, size) as rival:
            endpoint = Endpoint(rival.port, "/graphql", body, GRAPHQL_ACCEPTED)
            reading = uvloop.run(read(endpoint, SWEEP_CONNECTIONS, seconds, {}))
            rates[size] = reading.accepted
    return rates


def race(
    started: Shop, roads: list[Road], rounds: int, seconds: float, say: Say
) -> tuple[list[Result], list[Half]]:
    roles: Roles = {"client": [getpid()], **started.roles()}
    results = {(road.name, n): Result(road.name, n, []) for n in CONNECTIONS for road in roads}
    halves = []
    for index in range(rounds):
        turn = index % len(roads)
        for connections in CONNECTIONS:
            for road in [*roads[turn:], *roads[:turn]]:
                say(f"round {index + 1} of {rounds}: {road.name}, {connections} connections")
                at_work = {**roles, **road.roles}
                reading = uvloop.run(read(road.endpoint, connections, seconds, at_work))
                results[road.name, connections].readings.append(reading)
            rate = results[NAME, connections].readings[-1].accepted / 2
            latencies = uvloop.run(offered(roads[0].endpoint, connections, rate, seconds))
            halves.append(Half(connections, latencies))
    return list(results.values()), halves


async def read(endpoint: Endpoint, connections: int, seconds: float, roles: Roles) -> Reading:
    async with buyers_at(endpoint, connections) as buyers:
        await closed_loop(buyers.once, connections, WARM_UP_SECONDS, roles)
        return await closed_loop(buyers.once, connections, seconds, roles)


async def offered(
    endpoint: Endpoint, connections: int, per_second: float, seconds: float
) -> list[float]:
    async with buyers_at(endpoint, connections) as buyers:
        await buyers.offered(per_second, WARM_UP_SECONDS)
        return await buyers.offered(per_second, seconds)
