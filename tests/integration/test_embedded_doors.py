"""Who is let in by the embedded servers, and where their passwords are not seen."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from actors.head import Head, token_environ
from infra.credentials import kept
from infra.embedded.nats import Nats
from infra.embedded.places import Places, prepare
from infra.embedded.postgres import Postgres
from infra.embedded.process import Server
from infra.embedded.redis import Redis
from tests.integration.embedded import KINDS, check, keep, processes, started

JOIN = """
import sys
from ray._raylet import GcsClient
print(GcsClient(address=sys.argv[1]).internal_kv_keys(b"", b"session", timeout=30))
"""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="oh"))
    yield folder / "home"
    shutil.rmtree(folder)


def test_postgresql_lets_no_stranger_in(home: Path) -> None:
    with started(Postgres(prepare(home))) as url, pytest.raises(asyncpg.PostgresError):
        asyncio.run(asyncpg.connect(url, password="guessed"))


def test_nats_lets_no_stranger_in(home: Path) -> None:
    server = Nats(prepare(home))
    with started(server), socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"CONNECT {}\r\nPING\r\n")
        with stranger.makefile("rb") as answers:
            assert b"-ERR 'Authorization Violation'" in answers.read()


def test_redis_lets_no_stranger_in(home: Path) -> None:
    server = Redis(prepare(home))
    with started(server), socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(server.socket))
        stranger.sendall(b"KEYS *\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")


def test_ray_lets_no_stranger_in(home: Path) -> None:
    head = Head(prepare(home), 1)
    known, strange = (os.environ | token_environ(folder) for folder in (home, home.parent))
    kept(home.parent / "ray.key")
    with started(head) as address:
        assert joins(address, known) == "[b'session_name']"
        assert "RAY_AUTH_TOKEN_PATH" in joins(address, strange)
        assert "RAY_AUTH_TOKEN_PATH" in joins(address, {**os.environ, "RAY_AUTH_MODE": "disabled"})


def joins(address: str, environ: dict[str, str]) -> str:
    """What a client says that joins that cluster with that token."""
    argv = [sys.executable, "-c", JOIN, address]
    ran = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    return (ran.stdout + ran.stderr).strip()


@pytest.mark.parametrize("kind", KINDS)
def test_no_password_stands_in_the_arguments_of_a_process(
    kind: Callable[[Places], Server], home: Path
) -> None:
    server = kind(prepare(home))
    with started(server):
        (key,) = {path.read_text().strip() for path in home.glob("*.key")}
        found = processes(server, home)
        assert found
        assert [process for process in found if key in str(process.cmdline())] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_home_whose_passwords_are_gone_is_taken_over_with_its_data(
    kind: Callable[[Places], Server], home: Path
) -> None:
    with started(kind(prepare(home))) as url:
        asyncio.run(keep(url))
    for key in home.glob("*.key"):
        key.unlink()
    with started(kind(prepare(home))) as newer:
        asyncio.run(check(newer))
        assert newer != url
    logs = "".join(log.read_text() for log in (home / "logs").iterdir())
    assert [key for key in home.glob("*.key") if key.read_text().strip() in logs] == []


def test_data_that_let_everybody_in_asks_for_the_password_from_now_on(home: Path) -> None:
    server = Postgres(prepare(home))
    with started(server):
        pass
    (server.data / "pg_hba.conf").write_text("local all all trust\n")
    with started(Postgres(prepare(home))) as url, pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(url, password="guessed"))
