"""`python -m benchmarks [PARTS] [--quick] [--kills N]`: everything, or the parts that are named."""

import sys
from collections.abc import Callable, Set
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click
import uvloop
from rich.console import Console

from benchmarks import (
    cold,
    digests,
    fanout,
    graphql,
    layer,
    machine,
    memory,
    pressure,
    race,
    rivals,
    takeover,
)
from benchmarks.ceilings import EMPTY_ACTOR, EmptyActor, append_rate
from benchmarks.figures import Floor, Row, Section, at_least, at_most, ratio
from benchmarks.ground import Ground, ground
from benchmarks.load import spread
from benchmarks.rival_batches import Batches
from benchmarks.rival_redis import ALWAYS, WITHOUT, Lua, redis_server
from benchmarks.rival_units import Units
from benchmarks.rivals import RowLock, Statement, best_pool_size
from benchmarks.run import Run
from benchmarks.sold_out import SoldOut
from benchmarks.stock import PLENTY, Owners
from infra.embedded.process import open_many_files

ROOT = Path(__file__).parents[1]
PARTS = (
    "owners",
    "rivals",
    "soldout",
    "pressure",
    "memory",
    "takeover",
    "digests",
    "layer",
    "http",
    "fanout",
    "cold",
)
ON_THE_GROUND = {"owners", "rivals", "soldout", "pressure", "memory", "takeover", "digests"}
IN_FLIGHT = (1, 16, 64, 256, 1024)
FLOOR_IN_FLIGHT = 256
OWNERS = "owners"
SHELF = "sold out, not on sale"
REDIS = {"Redis, not durable": WITHOUT, "Redis, appendonly always": ALWAYS}
WANTED = (
    (Statement.name, 1, 0.3),
    (Statement.name, 16, 1.0),
    (Statement.name, 256, 8.0),
    (Units.name, 256, 4.0),
    (Batches.name, 256, 1.0),
)
"""Floors: rival, in flight, how many times as many."""
KIBIBYTE = 1_024
RESIDENT_CELLS = 100_000
DIGESTED_CELLS = 100
KILLS_LIMIT = 1_000
WIDTH = 160
"""Of the table where no terminal tells its own."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How long to look: rounds, and seconds per reading."""

    rounds: int
    seconds: float
    sweep_seconds: float
    cold_starts: int
    resident_cells: int
    kills: int


FULL = Size(5, 2.0, 0.5, 3, RESIDENT_CELLS, 50)
QUICK = Size(2, 0.7, 0.2, 1, RESIDENT_CELLS // 10, 5)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--quick", is_flag=True, help="Shorter, and shown only.")
@click.option("--kills", type=click.IntRange(1, KILLS_LIMIT), help="Owners killed in takeover.")
def main(parts: tuple[str, ...], quick: bool, kills: int | None) -> None:
    """Measure Onhand beside its rivals, and write docs/benchmarks.md."""
    open_many_files()
    wanted = set(parts or PARTS)
    size = QUICK if quick else FULL
    size = replace(size, kills=kills or size.kills)
    about = machine.describe(["python", "-m", "benchmarks", *sys.argv[1:]])
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    run = Run(wanted, console, None if quick else ROOT)
    with console.status("starting the servers") as status:

        def say(what: str) -> None:
            status.update(what)

        if wanted & ON_THE_GROUND:
            with run.surviving("the servers"), ground() as made:
                on_the_ground(made, run, size, about, say)
        run.part(("layer",), lambda: layer.section(size.rounds, about, say))
        run.part(("http",), lambda: graphql.section(size.rounds, size.seconds, about, say))
        run.part(("fanout",), lambda: fanout.section(size.rounds, size.seconds, about, say))
        run.part(("cold",), lambda: cold_starts(size, about, say))
    run.tell()


def on_the_ground(made: Ground, run: Run, size: Size, about: dict[str, str], say: Say) -> None:
    hot = ("owners", "rivals")
    run.part(hot, lambda: one_hot_cell(made, run.wanted, size, about, say))
    run.part(("soldout",), lambda: sold_out(made, size, about, say))
    run.part(("pressure",), lambda: under_pressure(made, size, about, say))
    run.part(("memory",), lambda: resident_cells(made, size, about, say))
    run.part(("takeover",), lambda: taken_over(made, size, about, say))
    run.part(("digests",), lambda: proved(made, size, about, say))


def sold_out(made: Ground, size: Size, about: dict[str, str], say: Say) -> Section:
    """Floor: refused per second by what owners accept in the same run."""
    accepting, shelf, sale = Owners(made, OWNERS, PLENTY), Owners(made, SHELF, 0), SoldOut(made)
    plan = race.Plan(size.rounds, size.seconds, IN_FLIGHT)
    results = race.run([accepting, shelf, sale], plan, made.fresh_owners, say)
    rows = [Row.of(r, "accepted" if r.name == OWNERS else "refused") for r in results]
    by_name = {r.name: r for r in results if r.in_flight == FLOOR_IN_FLIGHT}
    pairs = zip(by_name[sale.name].readings, by_name[OWNERS].readings, strict=True)
    times = spread([no.refused / yes.accepted for no, yes in pairs])
    what = f"{sale.name} by accepted, {FLOOR_IN_FLIGHT} in flight"
    return Section("Sold out", about, [], rows, [at_least(what, times.median, 5, "times")])


def taken_over(made: Ground, size: Size, about: dict[str, str], say: Say) -> Section:
    say("owners are killed")
    return takeover.section(made, size.kills, about)


def proved(made: Ground, size: Size, about: dict[str, str], say: Say) -> Section:
    return uvloop.run(digests.section(made, size.rounds, DIGESTED_CELLS, about, say))


def one_hot_cell(
    made: Ground, wanted: Set[str], size: Size, about: dict[str, str], say: Say
) -> Section:
    contenders: list[race.Contender] = []
    remarks = [f"{size.rounds} rounds in turns, {size.seconds:g} s per reading"]
    if "owners" in wanted:
        contenders.append(Owners(made, OWNERS, PLENTY))
    for kind in (Statement, RowLock) if "rivals" in wanted else ():
        say(f"the best pool for {kind.name}")
        best, rates = best_pool_size(made, kind, size.rounds, size.sweep_seconds)
        contenders.append(kind(made, best))
        tried = ", ".join(f"{pool}: {rate:,.0f}" for pool, rate in rates.items())
        remarks.append(
            f"{kind.name}: a pool of {best}; accepted/s by pool size at"
            f" {rivals.SWEEP_IN_FLIGHT} in flight: {tried}"
        )
        if kind is Statement:
            contenders.append(Units(made, best))
    with ExitStack() as servers:
        if "rivals" in wanted:
            contenders += [Batches(made), EmptyActor(made)]
            contenders += [
                Lua(made, name, *servers.enter_context(redis_server(options)))
                for name, options in REDIS.items()
            ]
        plan = race.Plan(size.rounds, size.seconds, IN_FLIGHT)
        results = race.run(contenders, plan, made.fresh_owners, say)
    rows = [Row.of(result) for result in results]
    floors = against_rivals(results)
    if {"owners", "rivals"} <= wanted:
        say("the append alone")
        alone = [
            uvloop.run(append_rate(made, f"append {number}", size.seconds))
            for number in range(size.rounds)
        ]
        rows.append(Row("append alone, batches of 512", None, spread(alone), "reservations/s"))
        floors.append(against_ceilings(results, spread(alone).median))
    return Section("One hot cell", about, remarks, rows, floors)


def against_ceilings(results: list[race.Result], appended: float) -> Floor:
    """Owners at 1,024 in flight by the slower of the two things they stand on."""
    medians = {r.name: r.of("accepted").median for r in results if r.in_flight == 1024}
    slower = min(appended, medians[EMPTY_ACTOR])
    what = "owners by the slower of append alone and an empty Ray actor, 1,024 in flight"
    return at_least(what, medians[OWNERS] / slower, 0.75, "times")


def against_rivals(results: list[race.Result]) -> list[Floor]:
    floors = []
    for rival, in_flight, wanted in WANTED:
        found = ratio(results, OWNERS, rival, in_flight)
        if found is not None:
            what = f"owners by {rival}, {in_flight} in flight"
            floors.append(at_least(what, found.median, wanted, "times"))
    return floors


def under_pressure(made: Ground, size: Size, about: dict[str, str], say: Say) -> Section:
    """At half and at twice of what a closed loop reached just before."""
    rounds = []
    for number in range(size.rounds):
        say(f"pressure, round {number + 1} of {size.rounds}")
        made.fresh_owners()
        rounds.append(uvloop.run(pressure.press(made, f"pressure {number}", size.seconds)))
    goodput = spread([each.twice.goodput / each.maximum for each in rounds])
    half = spread([pressure.percentile(each.half.accepted, 0.99) for each in rounds])
    busy = spread([pressure.percentile(each.twice.busy, 0.99) for each in rounds])
    rows = [
        Row("maximum of a closed loop", 1024, spread([r.maximum for r in rounds]), "accepted/s"),
        Row("half of it offered: p99", None, half, "ms"),
        Row("twice of it offered: goodput by maximum", None, goodput, "times"),
        Row("twice of it offered: p99 of BUSY", None, busy, "ms"),
    ]
    floors = [
        at_most("p99 at half of the maximum", half.median, 20, "ms"),
        at_least("goodput at twice the maximum", goodput.median, 0.9, "times"),
        at_most("p99 of BUSY at twice the maximum", busy.median, 20, "ms"),
    ]
    remarks = [
        f"{size.rounds} rounds, {size.seconds:g} s each; requests come at a fixed rate from this"
        " one client process, which shares the machine"
    ]
    return Section("Under pressure", about, remarks, rows, floors)


def resident_cells(made: Ground, size: Size, about: dict[str, str], say: Say) -> Section:
    say("resident cells")
    weights = memory.weigh(made, size.resident_cells)
    rows = [
        Row(f"{what}, {how}", None, spread([value]), "bytes")
        for what, weight in weights.items()
        for how, value in zip(("resident", "allocated"), weight, strict=True)
    ]
    floors = [
        at_most(what, weight.resident / KIBIBYTE, 1, "KiB") for what, weight in weights.items()
    ]
    remarks = [f"{size.resident_cells:,} cells"]
    return Section("Resident cells", about, remarks, rows, floors)


def cold_starts(size: Size, about: dict[str, str], say: Say) -> Section:
    starts = []
    for number in range(size.cold_starts):
        say(f"cold start {number + 1} of {size.cold_starts}")
        starts.append(cold.start_once())
    reserved = spread([start.reserved for start in starts])
    rows = [
        Row("ready", None, spread([start.ready for start in starts]), "seconds"),
        Row("first reservation committed", None, reserved, "seconds"),
        Row("CPU until ready", None, spread([start.cpu for start in starts]), "CPU seconds"),
    ]
    floor = at_most("cold start to the first reservation", reserved.median, 15, "s")
    remarks = ["an empty home each time; the packages are installed"]
    return Section("Cold start", about, remarks, rows, [floor])


if __name__ == "__main__":
    main()
