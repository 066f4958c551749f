"""What the figures were taken on, and with what."""

import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from infra.embedded.postgres import BINARIES

PACKAGES = ("ray", "asyncpg", "uvloop", "msgspec", "granian", "strawberry-graphql")
GIBIBYTE = 2**30
CPU_INFO = Path("/proc/cpuinfo")


def describe(command: Sequence[str]) -> dict[str, str]:
    memory = psutil.virtual_memory().total / GIBIBYTE
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    return {
        "taken": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": " ".join(command),
        "commit": said("git", "rev-parse", "--short", "HEAD"),
        "processor": f"{psutil.cpu_count()} cores, {model()}",
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": f"{load} (1, 5 and 15 minutes)",
        "Python": platform.python_version(),
        "PostgreSQL": said(str(BINARIES / "postgres"), "--version"),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def model() -> str:
    names = [line for line in lines(CPU_INFO) if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.processor()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
