"""PostgreSQL refuses to run as root. This finds the user it runs as instead, and lets that user
reach a home it could not enter by itself, without touching anybody's permissions."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from infra.embedded.process import Identity
from infra.settings import SettingsError

PREFERRED = "nobody"


def unprivileged(data: Path) -> Identity | None:
    """None where we are not root. The owner of the data stays the same between starts."""
    if os.geteuid() != 0:
        return None
    owner = data.stat() if data.exists() else None
    if owner is not None and owner.st_uid != 0:
        return Identity(owner.st_uid, owner.st_gid)
    others = sorted(pwd.getpwall(), key=lambda entry: entry.pw_name != PREFERRED)
    for entry in others:
        if entry.pw_uid != 0:
            return Identity(entry.pw_uid, entry.pw_gid)
    raise SettingsError("PostgreSQL does not run as root and this machine has no other user")


def is_open_to_all(paths: Iterable[Path]) -> bool:
    """Whether anybody may enter all directories above these and read the files themselves."""
    return all(
        os.stat(folder).st_mode & stat.S_IXOTH
        for path in paths
        for folder in path.resolve().parents
    ) and all(os.stat(path).st_mode & stat.S_IROTH for path in paths if path.is_file())


def as_user(user: Identity, paths: Iterable[Path]) -> tuple[list[str], Identity | None]:
    """What to put before a command so that it runs as `user` and reaches `paths`, and the user to
    spawn it as. Where a directory is closed to that user, it keeps one capability of root: to
    pass closed doors. It is ambient, so PostgreSQL's own children have it too."""
    if is_open_to_all(paths):
        return [], user
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SettingsError(
            "PostgreSQL does not run as root, and another user cannot enter ONHAND_HOME: "
            "set ONHAND_HOME to a directory below one that is open to all"
        )
    identity = [f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups"]
    door_key = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return [setpriv, *identity, *door_key, "--"], None
