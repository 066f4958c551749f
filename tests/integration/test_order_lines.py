"""A small shop's orders, imported and played through a running server by the real commands."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from connectors.demo import write_demo
from tests.integration.whole import Whole

pytestmark = pytest.mark.timeout(400)
SEED = 431
ENTRIES = "SELECT count(*), sum(quantity) FROM entry WHERE movement = ANY($1)"
SALES = [2, 5]
RETURNS = [6, 11]


@pytest.fixture(scope="module")
def orders(shop: Whole, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("orders") / "orders.csv"
    write_demo(path, SEED, date(2025, 6, 1), days=15)
    done = shop.run("import", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    return path


async def moved(shop: Whole, movements: list[int]) -> tuple[int, int]:
    """Entries of these movements in the whole ledger, and their units."""
    connection = await asyncpg.connect(shop.settings.database_url)
    try:
        row = await connection.fetchrow(ENTRIES, movements)
    finally:
        await connection.close()
    return row[0], row[1] or 0


def replayed(shop: Whole, orders: Path) -> str:
    done = shop.run("replay", str(orders))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def break_off(shop: Whole, orders: Path) -> None:
    """Kills a replay that has begun."""
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli", "replay", str(orders), "--per-second", "40"],
        env=shop.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if line.startswith("invoices: ") and not line.startswith("invoices: 1 of"):
                break
        first.kill()


async def test_importing_the_same_file_again_receives_nothing(shop: Whole, orders: Path) -> None:
    before = await moved(shop, [1])
    again = shop.run("import", str(orders))
    assert again.returncode == 0, again.stdout + again.stderr
    assert await moved(shop, [1]) == before


async def test_importing_the_same_file_with_another_cover_is_refused(
    shop: Whole, orders: Path
) -> None:
    before = await moved(shop, [1])
    other = shop.run("import", str(orders), "--cover", "2")
    assert other.returncode == 1
    assert "the server refused" in other.stderr
    assert "CONFLICT" in other.stdout
    assert await moved(shop, [1]) == before


async def test_a_replay_that_was_killed_goes_on_and_does_nothing_twice(
    shop: Whole, orders: Path
) -> None:
    before = await moved(shop, SALES)
    break_off(shop, orders)
    half = await moved(shop, SALES)
    assert half > before
    shown = replayed(shop, orders)
    for heading in ("Invoices", "Calls", "Units moved", "mutations per second"):
        assert heading in shown
    whole = await moved(shop, SALES)
    assert whole > half
    assert await moved(shop, RETURNS) > (0, 0)
    replayed(shop, orders)
    assert await moved(shop, SALES) == whole


def test_a_server_that_is_not_there_is_one_line(shop: Whole, orders: Path) -> None:
    done = shop.run("replay", str(orders), "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: http://127.0.0.1:9 does not answer")


def test_a_token_that_is_not_ours_is_one_line(shop: Whole, orders: Path) -> None:
    done = shop.run("import", str(orders), "--token", "mine")
    assert done.returncode == 1
    assert "does not accept the token" in done.stderr
