"""`python -m benchmarks.before_after FOLDER`: what changes since another checkout, which has its
packages installed, have cost `reserveStock` over HTTP. Both shops stand at once and are asked in
turns; the ratio is of one round's two readings."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import uvloop

from benchmarks.buyers import ID, Endpoint
from benchmarks.graphql import GRAPHQL_ACCEPTED, read
from benchmarks.load import Reading, Roles, spread
from benchmarks.shop import RESERVE, reservation
from infra.embedded.process import open_many_files

HERE = Path(__file__).parents[1]
HOLDER = Path(__file__).with_name("held.py")
CONNECTIONS = 64
SECONDS = 2.0
STOP_SECONDS = 60.0


class Held(NamedTuple):
    endpoint: Endpoint
    roles: Roles


@click.command()
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rounds", type=click.IntRange(1, 100), default=8, show_default=True)
def main(before: Path, rounds: int) -> None:
    """Ask a shop of this checkout and one of BEFORE in turns."""
    open_many_files()
    with ExitStack() as stack:
        shops = [stack.enter_context(held(folder.resolve())) for folder in (before, HERE)]
        found: list[list[Reading]] = [[], []]
        for number in range(rounds):
            for index in (0, 1) if number % 2 else (1, 0):
                one = shops[index]
                reading = uvloop.run(read(one.endpoint, CONNECTIONS, SECONDS, one.roles))
                found[index].append(reading)
    tell("before, accepted/s", [reading.accepted for reading in found[0]])
    tell("after, accepted/s", [reading.accepted for reading in found[1]])
    pairs = list(zip(*found, strict=True))
    tell("after by before", [after.accepted / was.accepted for was, after in pairs])
    tell("CPU of the API, after by before", [cpu(after) / cpu(was) for was, after in pairs])


def cpu(reading: Reading) -> float:
    return reading.cpu_us["api"]


def tell(what: str, values: list[float]) -> None:
    one = spread(values)
    click.echo(f"{what}: {one.median:.3f} ({one.low:.3f} to {one.high:.3f})")


@contextmanager
def held(folder: Path) -> Iterator[Held]:
    """A shop of that checkout, run by its own Python and packages."""
    argv = [str(folder / ".venv/bin/python"), str(HOLDER)]
    popen = subprocess.Popen(
        argv,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert popen.stdin is not None
    assert popen.stdout is not None
    try:
        line = next((line for line in popen.stdout if line.startswith("held")), None)
        if line is None:
            raise click.ClickException(f"the shop of {folder} did not start")
        _, port, token, *pids = line.split()
        wanted = reservation() | {"id": ID}
        body = json.dumps({"query": RESERVE, "variables": {"input": wanted}})
        endpoint = Endpoint(int(port), "/graphql", body, GRAPHQL_ACCEPTED, token)
        yield Held(endpoint, {"api": [int(pid) for pid in pids]})
    finally:
        popen.stdin.close()
        popen.wait(STOP_SECONDS)


if __name__ == "__main__":
    main()
