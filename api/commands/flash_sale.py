"""`onhand flash-sale`: a flash sale with its crowd, played through the API of a running server."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import click
import uvloop
from rich.console import Console

from api.commands.flash_sale_report import show_history, show_verdict
from api.commands.visiting import Server, resolved, server_options, told_in_one_line
from api.progress import Stages, stages
from connectors.arrivals import BadArrivals, arrival_weights
from connectors.http_sender import http_sender
from connectors.sale_api import SaleApi
from domain.access import Role
from domain.flash_sales import pool_of
from infra.clock import SystemClock
from infra.settings import current_settings
from services.abreast import abreast
from services.door import DoorError, Holding, Refused
from services.flash_sale_story import Telling, play, prepare
from services.sale_buyers import Buyer, busiest, buyers_of, poisson_arrivals, shaped_arrivals
from services.sale_door import SaleDoor, SaleOffer
from services.sale_history import Case, History
from services.sale_verdict import Found, Terms, Verdict, judge

BUYERS_LIMIT = 1_000_000
UNITS_LIMIT = 1_000_000
RPS_LIMIT = 100_000
SECONDS_LIMIT = 86_400
CONNECTIONS_LIMIT = 4_096
ARRIVAL_PARTS = 60
"""Parts of the arrivals' curve around its peak that make the sale's."""
OPENS_SECONDS = 3
AFTER_SECONDS = 600
"""The sale outlives the story, so that the books are read while it is open."""
SETTLE_SECONDS = 5.0
ASKING = 16
STAGE = "buyers"


class Crowd(NamedTuple):
    buyers: int
    per_second: float
    seconds: float
    connections: int
    arrivals: Path | None
    seed: int


class Wanted(NamedTuple):
    units: int
    warehouses: int
    limit: int | None
    ttl_seconds: int
    admitted_per_second: int | None


@click.command("flash-sale")
@click.option("--units", type=click.IntRange(1, UNITS_LIMIT), default=500, show_default=True)
@click.option("--warehouses", type=click.IntRange(1, 10), default=2, show_default=True)
@click.option("--buyers", type=click.IntRange(1, BUYERS_LIMIT), default=20_000, show_default=True)
@click.option(
    "--rps",
    type=click.FloatRange(0, RPS_LIMIT, min_open=True),
    default=200.0,
    show_default=True,
    help="Buyers that arrive per second, in the mean.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, SECONDS_LIMIT),
    default=600.0,
    show_default=True,
    help="Nobody arrives or waits any more after that.",
)
@click.option("--limit-per-customer", type=click.IntRange(1), default=2, show_default=True)
@click.option("--ttl-seconds", type=click.IntRange(1, 600), default=10, show_default=True)
@click.option("--waiting-room/--no-waiting-room", default=True, show_default=True)
@click.option("--admitted-per-second", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--arrivals",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A parquet of requests per minute (column count): the crowd comes as around its peak.",
)
@click.option("--connections", type=click.IntRange(1, CONNECTIONS_LIMIT), default=256)
@click.option("--seed", type=int, default=1, show_default=True, help="The same: the same buyers.")
@server_options
def flash_sale_command(
    units: int,
    warehouses: int,
    buyers: int,
    rps: float,
    seconds: float,
    limit_per_customer: int,
    ttl_seconds: int,
    waiting_room: bool,
    admitted_per_second: int,
    arrivals: Path | None,
    connections: int,
    seed: int,
    url: str,
    token: str,
) -> None:
    """Hold a flash sale: make it on a running server, send the crowd, and check the books.

    Buyers join, wait and reserve; some pay, some leave, some let it expire, some click twice, some
    ask again with the same id. Ends with 1 if anything was oversold, a limit was broken, something
    accepted was lost, or the books do not add up. Ctrl-C ends it with the report so far.
    """
    console = Console()
    admitted = admitted_per_second if waiting_room else None
    wanted = Wanted(units, warehouses, limit_per_customer, ttl_seconds, admitted)
    crowd = Crowd(buyers, rps, seconds, connections, arrivals, seed)
    with told_in_one_line():
        server = resolved(Server(url, token), current_settings(), Role.ADMIN)
        verdict = uvloop.run(flash_sale(console, server, wanted, crowd))
    if not verdict.is_clean:
        raise SystemExit(1)


async def flash_sale(console: Console, server: Server, wanted: Wanted, crowd: Crowd) -> Verdict:
    async with http_sender(server.url, server.token, crowd.connections) as send:
        door = SaleApi(send)
        offer = offer_of(wanted, crowd)
        buyers = list(buyers_of(offer.id, moments(crowd), crowd.seed))
        await prepare(door, offer)
        console.print(f"{offer.name}: {offer.units} units of {offer.sku}, {len(buyers):,} buyers")
        history = History()
        with stages(console) as bars:
            await until_broken_off(playing(door, offer, buyers, crowd, bars, history))
        show_history(console, history)
        verdict = await verdict_of(door, offer, list(history.cases.values()))
        show_verdict(console, offer, verdict)
        closed = await door.close_sale(offer.id)
        if isinstance(closed, Refused):
            until = f"{offer.closes_at:%Y-%m-%dT%H:%M:%SZ}"
            console.print(f"the sale stays open until {until}: {closed.message}", highlight=False)
        return verdict


def offer_of(wanted: Wanted, crowd: Crowd) -> SaleOffer:
    """A SKU of its own, so that its books hold nothing else."""
    clock = SystemClock()
    id, now = clock.new_id(), clock.now()
    share, rest = divmod(wanted.units, wanted.warehouses)
    units = [share + (place < rest) for place in range(wanted.warehouses)]
    return SaleOffer(
        id=id,
        name=f"Flash sale {id.hex[:8]}",
        sku=f"FLASH-{id.hex[:8]}",
        allotments={f"FLASH-{place + 1}": count for place, count in enumerate(units) if count},
        opens_at=now + timedelta(seconds=OPENS_SECONDS),
        closes_at=now + timedelta(seconds=crowd.seconds + AFTER_SECONDS),
        limit_per_customer=wanted.limit,
        ttl_seconds=wanted.ttl_seconds,
        admitted_per_second=wanted.admitted_per_second,
    )


def moments(crowd: Crowd) -> list[float]:
    """When they arrive, in seconds; the doors open first."""
    if crowd.arrivals is None:
        arrivals = poisson_arrivals(crowd.buyers, crowd.per_second, crowd.seed)
    else:
        try:
            weights = busiest(arrival_weights(crowd.arrivals), ARRIVAL_PARTS)
        except BadArrivals as bad:
            raise DoorError(str(bad)) from bad
        arrivals = shaped_arrivals(crowd.buyers, crowd.per_second, weights, crowd.seed)
    return [OPENS_SECONDS + moment for moment in arrivals]


async def playing(
    door: SaleDoor,
    offer: SaleOffer,
    buyers: list[Buyer],
    crowd: Crowd,
    bars: Stages,
    history: History,
) -> None:
    def step(history: History) -> None:
        inside = history.arrived - history.ended
        note = f"{inside:,} inside, {history.accepted:,} reserved, {history.answers:,} answers"
        bars.reach(STAGE, history.ended, len(buyers), note)

    await play(door, offer, buyers, Telling(crowd.seconds + OPENS_SECONDS, step), history)


async def until_broken_off(work: Coroutine[Any, Any, None]) -> None:
    """Ctrl-C ends the crowd and not the command: what was told so far is judged."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def verdict_of(door: SaleDoor, offer: SaleOffer, cases: list[Case]) -> Verdict:
    """Read when every unpaid hold has had its time, so that nothing changes any more."""
    await asyncio.sleep(offer.ttl_seconds + SETTLE_SECONDS)
    holdings: dict[UUID, Holding | None] = {}

    async def look(case: Case) -> None:
        holdings[case.buyer.reservation] = await door.holding(case.buyer.reservation)

    await abreast(ASKING, (look(case) for case in cases))
    cells = [await door.books(offer.sku, warehouse) for warehouse in offer.allotments]
    terms = Terms(pool_of(offer.id), offer.units, offer.limit_per_customer, offer.ttl_seconds)
    return judge(terms, cases, Found(holdings, cells))
