"""Passwords and keys of one home: made at first use, kept in files only their maker can read."""

import os
import secrets
import tempfile
from pathlib import Path

from infra.settings import Settings, SettingsError

KEY_BYTES = 32
PREFIX_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
"""None that look like another."""


def kept(path: Path) -> str:
    """The key in the file. Two processes that make it at the same time end with the same one."""
    try:
        if not path.exists():
            make(path)
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{path} cannot be used: {error.strerror}") from error


def make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    draft = Path(name)
    with os.fdopen(descriptor, "w") as file:
        file.write(new_secret())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def secret_key(settings: Settings) -> str:
    """The key that signs callers' tokens: the given one, or this home's own."""
    return settings.secret_key or kept(settings.home / "secret.key")


def new_secret() -> str:
    """256 bits that nobody can guess, as 43 characters of base64url."""
    return secrets.token_urlsafe(KEY_BYTES)


def new_digits(length: int) -> str:
    """A number that nobody can guess, for people to type."""
    return f"{secrets.randbelow(10**length):0{length}}"


def new_prefix(length: int) -> str:
    """Visible, and different for each: letters and digits."""
    return "".join(secrets.choice(PREFIX_LETTERS) for _ in range(length))
