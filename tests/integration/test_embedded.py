"""The embedded servers for real: they answer, keep their data, and come back after any death."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.embedded.nats import Nats
from infra.embedded.places import Places, prepare
from infra.embedded.postgres import Postgres
from infra.embedded.process import Server
from tests.integration.embedded import KINDS, check, keep, processes, started

AS_ROOT = os.geteuid() == 0
ALL_OF_THEM = """
import pathlib, sys
from infra.embedded import nats, places, postgres, redis
home = places.prepare(pathlib.Path(sys.argv[1]))
for kind in (postgres.Postgres, nats.Nats, redis.Redis):
    server = kind(home)
    server.start()
    server.stop()
    print(server.name)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Closed to others, and with a short path, as `mktemp -d` makes them."""
    folder = Path(tempfile.mkdtemp(prefix="oh"))
    yield folder / "home"
    shutil.rmtree(folder)


def kill(server: Server, home: Path) -> None:
    found = processes(server, home)
    assert found
    for process in found:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_start_finds_the_data(kind: Callable[[Places], Server], home: Path) -> None:
    with started(kind(prepare(home))) as url:
        asyncio.run(keep(url))
    with started(kind(prepare(home))) as url:
        asyncio.run(check(url))


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_server_comes_back_with_its_data(
    kind: Callable[[Places], Server], home: Path
) -> None:
    server = kind(prepare(home))
    with started(server) as url:
        asyncio.run(keep(url))
        kill(server, home)
        assert not server.is_alive()
        assert server.start() == url
        asyncio.run(check(url))


@pytest.mark.parametrize("kind", KINDS)
def test_an_orphan_of_this_home_is_ended_and_replaced(
    kind: Callable[[Places], Server], home: Path
) -> None:
    orphan = kind(prepare(home))
    with started(orphan) as url:
        asyncio.run(keep(url))
        before = {process.pid for process in processes(orphan, home)}
        with started(kind(prepare(home))) as url:
            asyncio.run(check(url))
            after = {process.pid for process in processes(orphan, home)}
            assert before
            assert after
            assert not before & after


@pytest.mark.parametrize("kind", KINDS)
def test_stopping_leaves_no_process(kind: Callable[[Places], Server], home: Path) -> None:
    server = kind(prepare(home))
    with started(server):
        assert processes(server, home)
    assert not processes(server, home)
    assert not server.is_alive()
    server.stop()


def test_two_homes_do_not_know_each_other(home: Path) -> None:
    with started(Postgres(prepare(home / "a"))) as first:
        with started(Postgres(prepare(home / "b"))) as second:
            asyncio.run(keep(first))
            asyncio.run(keep(second))
        asyncio.run(check(first))


def test_stale_pid_and_socket_files_do_not_stop_postgresql(home: Path) -> None:
    server = Postgres(prepare(home))
    with started(server) as url:
        asyncio.run(keep(url))
        kill(server, home)
    stale = server.data / "postmaster.pid"
    assert stale.exists()
    lines = stale.read_text().splitlines()
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    (server.sockets / ".s.PGSQL.5432.lock").write_text("\n".join([str(os.getpid()), *lines[1:]]))
    with started(Postgres(prepare(home))) as url:
        asyncio.run(check(url))


def test_a_first_start_that_broke_off_is_made_good(home: Path) -> None:
    places = prepare(home)
    half = places.data("postgres") / "draft"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    with started(Postgres(places)) as url:
        asyncio.run(keep(url))


@pytest.mark.parametrize("name", ["x" * 120, 'a "shop", the second'])
def test_any_home_will_do(name: str, home: Path) -> None:
    places = prepare(home / name)
    try:
        for kind in KINDS:
            with started(kind(places)) as url:
                asyncio.run(keep(url))
                asyncio.run(check(url))
    finally:
        shutil.rmtree(places.sockets)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_listens_beyond_this_machine(kind: Callable[[Places], Server], home: Path) -> None:
    server = kind(prepare(home))
    with started(server):
        found = processes(server, home)
        listening = [c for p in found for c in p.net_connections("tcp") if c.status == "LISTEN"]
        assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1"}


@pytest.mark.skipif(not AS_ROOT, reason="PostgreSQL runs as somebody else only under root")
def test_under_root_postgresql_runs_as_somebody_else_and_nothing_is_opened_up(home: Path) -> None:
    home.parent.chmod(0o700)
    server = Postgres(prepare(home))
    with started(server) as url:
        asyncio.run(keep(url))
        assert all(process.uids().effective != 0 for process in processes(server, home))
    assert home.parent.stat().st_mode & 0o777 == 0o700
    assert server.data.stat().st_mode & 0o777 == 0o700


def test_a_port_somebody_took_meanwhile_is_given_up_for_another(home: Path) -> None:
    server = Nats(prepare(home))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server.port = taken.getsockname()[1]
        with started(server) as url:
            asyncio.run(keep(url))
            assert server.port != taken.getsockname()[1]


@pytest.mark.skipif(not AS_ROOT, reason="only root can be somebody else")
def test_an_ordinary_user_starts_them_as_well() -> None:
    user = pwd.getpwnam("nobody")
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    as_nobody = ["setpriv", *identity, "--", sys.executable, "-c"]
    if subprocess.run([*as_nobody, "import asyncpg, psutil"], cwd="/", check=False).returncode:
        pytest.skip("nobody cannot run this Python")
    folder = Path(tempfile.mkdtemp(prefix="oh"))
    try:
        os.chown(folder, user.pw_uid, user.pw_gid)
        argv = [*as_nobody, ALL_OF_THEM, str(folder / "home")]
        ran = subprocess.run(argv, cwd="/", capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(folder)
    assert ran.stdout.split() == ["PostgreSQL", "NATS", "Redis"], ran.stderr
