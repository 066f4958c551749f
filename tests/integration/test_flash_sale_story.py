"""A small flash sale with its crowd, played against a running shop as a person would."""

import os
import signal
import subprocess
import sys

import pytest

from tests.integration.whole import Whole

PATIENCE_SECONDS = 120
CROWD = (
    "--units",
    "50",
    "--buyers",
    "300",
    "--rps",
    "100",
    "--seconds",
    "20",
    "--ttl-seconds",
    "2",
)
NO_FAULT = ("oversold", "limit broken", "accepted and lost", "one id, two answers", "add up")


def faults(output: str) -> dict[str, int]:
    """The numbers of the table of faults, by the end of their names."""
    rows = [line.strip("│ \n").split("│") for line in output.splitlines() if "│" in line]
    named = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
    return {end: int(named[name]) for end in NO_FAULT for name in named if name.endswith(end)}


def number(output: str, name: str) -> int:
    (row,) = [line for line in output.splitlines() if f"│ {name} " in line]
    return int(row.split("│")[2].replace(",", ""))


@pytest.mark.parametrize("room", ["--waiting-room", "--no-waiting-room"])
def test_a_crowd_buys_what_there_is_and_the_books_are_right(shop: Whole, room: str) -> None:
    told = shop.run("flash-sale", *CROWD, room)
    assert told.returncode == 0, told.stdout + told.stderr
    assert faults(told.stdout) == dict.fromkeys(NO_FAULT, 0)
    assert number(told.stdout, "buyers that came") == 300
    assert number(told.stdout, "reservations accepted") >= 25
    assert 25 <= number(told.stdout, "sold") <= 50


def test_ctrl_c_ends_it_with_the_report_so_far(shop: Whole) -> None:
    argv = [sys.executable, "-m", "api.cli", "flash-sale", *CROWD, "--buyers", "100000"]
    with subprocess.Popen(
        argv,
        env=shop.environ | {"COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as popen:
        assert popen.stdout is not None
        for line in popen.stdout:
            if "inside" in line and " 0 answers" not in line:
                break
        os.kill(popen.pid, signal.SIGINT)
        output = popen.communicate(timeout=PATIENCE_SECONDS)[0]
    assert popen.returncode == 0, output
    assert faults(output) == dict.fromkeys(NO_FAULT, 0)
    assert 0 < number(output, "buyers that came") < 100_000
