"""Where the embedded servers of one home live: data, logs, sockets, and the lock that keeps a
second supervisor out."""

import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.settings import SettingsError

SOCKET_PATH_LIMIT = 107
"""Bytes, of the kernel's sockaddr_un without its closing zero."""

LONGEST_SOCKET = "/postgres/.s.PGSQL.5432"
PURPOSES = ("run", "ray")
LOG_BYTES_LIMIT = 10_000_000
PUT_ASIDE = ".old.log"
PLAIN_PATH = r"[A-Za-z0-9/._-]+"
OTHERS = 0o077
"""What the group and everybody else may do with a file: nothing, in a home."""
CLOSED_MODE = 0o700
DOOR_MODE = 0o711 if os.geteuid() == 0 else CLOSED_MODE
"""On the way to its data and its socket: root's PostgreSQL runs as somebody else, who may pass
through; nobody may look around."""
KEPT = ("api", "demo", "logs", "migrate", "nats", "owners", "ray", "redis", "relay", "reports")
"""Folders whose files are ours; PostgreSQL closes its own."""


@dataclass(frozen=True, slots=True)
class Places:
    home: Path
    sockets: Path

    def data(self, name: str, mode: int = CLOSED_MODE) -> Path:
        """The directory of one server, made if it is missing."""
        return made(self.home / name, mode)

    def socket_folder(self, name: str, mode: int = CLOSED_MODE) -> Path:
        return made(self.sockets / name, mode)

    def log(self, name: str) -> Path:
        """The log to append to; a long one is put aside first, over the one before it."""
        path = made(self.home / "logs") / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_LIMIT:
            path.replace(path.with_suffix(PUT_ASIDE))
        return path

    def cut_logs(self) -> None:
        """The same while they are written to: copied, then emptied. Whoever writes appends, so goes
        on at the new end; a line that comes in between is lost. Where that cannot be done now, it
        is when somebody asks again."""
        for path in (self.home / "logs").glob("*.log"):
            with suppress(OSError):
                if path.stat().st_size > LOG_BYTES_LIMIT and not path.name.endswith(PUT_ASIDE):
                    draft = path.with_suffix(".draft")
                    shutil.copyfile(path, draft)
                    draft.replace(path.with_suffix(PUT_ASIDE))
                    os.truncate(path, 0)


def made(path: Path, mode: int = CLOSED_MODE) -> Path:
    """One that is ours gets this mode, whoever made it and however."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != mode:
        path.chmod(mode)
    return path


def close_to_others() -> None:
    """What this process and its children make from now on is for their own user alone."""
    os.umask(OTHERS)


def close_what_is_there(home: Path) -> None:
    """For a home of a time when its files were not closed. Of a home that somebody gave us only
    what is ours is touched."""
    below = (path for name in KEPT for path in (home / name).rglob("*"))
    for path in (*home.glob("*.key"), home / "lock", home / "running.json", *below):
        close(path)


def close(path: Path) -> None:
    """One that vanishes meanwhile is closed enough."""
    try:
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if mode & OTHERS and status.st_uid == os.geteuid() and not stat.S_ISLNK(status.st_mode):
            path.chmod(mode & ~OTHERS)
    except FileNotFoundError:
        return


def prepare(home: Path) -> Places:
    """Raises SettingsError when this home cannot be used."""
    try:
        if not home.exists():
            made(home, DOOR_MODE)
        probe = home / f".probe.{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        return Places(home, socket_root(home))
    except OSError as error:
        raise SettingsError(f"ONHAND_HOME {home} cannot be used: {error.strerror}") from error


def socket_root(home: Path) -> Path:
    """Below home, or in a short directory of ours when the kernel allows no path that long, or a
    client would read it as something else (a comma separates hosts)."""
    root = home / "run"
    is_short = len(str(root) + LONGEST_SOCKET) <= SOCKET_PATH_LIMIT
    if is_short and re.fullmatch(PLAIN_PATH, str(root)):
        return made(root, DOOR_MODE)
    return made(short_folder(home, "run"), DOOR_MODE)


def short_folder(home: Path, purpose: str) -> Path:
    """A directory in the machine's temporary one that belongs to this user and this home alone."""
    root = short_path(home, purpose)
    root.mkdir(mode=CLOSED_MODE, exist_ok=True)
    if not is_ours(root):
        raise SettingsError(f"{root} belongs to somebody else: remove it or set TMPDIR")
    return root


def short_path(home: Path, purpose: str) -> Path:
    name = hashlib.sha256(f"{os.fsencode(home)!r} {purpose}".encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"oh-{os.geteuid()}-{name}"


def is_ours(folder: Path) -> bool:
    status = folder.lstat()
    mode = status.st_mode
    return stat.S_ISDIR(mode) and status.st_uid == os.geteuid() and not mode & 0o022


def leave(home: Path) -> None:
    """Takes away what lies outside of this home, once its servers have stopped."""
    for purpose in PURPOSES:
        root = short_path(home, purpose)
        if root.exists() and is_ours(root):
            shutil.rmtree(root, ignore_errors=True)


def lock(home: Path) -> IO[str]:
    """Held for as long as the file is open. The kernel lets go of it when its holder is killed."""
    file = (home / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        file.close()
        raise SettingsError(f"ONHAND_HOME {home} is already served by process {holder}") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
