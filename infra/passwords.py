"""Passwords: judged by length and by what is known to be guessed first, hashed with Argon2id in
threads, a few at a time. Hashing is made to be slow: who waits for it must not hold up a process
that also sells."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from infra.credentials import new_secret
from infra.outage import Outage
from infra.variables import PASSWORD_MEMORY_KIB, PASSWORD_PASSES

T = TypeVar("T")
SHORTEST = 12
LONGEST = 256
"""Characters of a password."""
AT_ONCE = 2
"""Hashed at the same time; each takes its memory and a core."""
WAITING_LIMIT = 64
"""Hashed or waiting for it; more are told to ask again."""
GUESSES_LEAST = 10**8
"""What zxcvbn estimates where neither the usual passwords nor their variations lead to it."""
LOOKED_AT = 72
"""Characters that zxcvbn looks at: its work grows faster than their number."""


class Costs(NamedTuple):
    """Of one hash."""

    memory_kib: int = PASSWORD_MEMORY_KIB
    passes: int = PASSWORD_PASSES


class Passwords:
    """Of one process."""

    def __init__(self, costs: Costs) -> None:
        self.hasher = PasswordHasher(costs.passes, costs.memory_kib, parallelism=1)
        self.threads = ThreadPoolExecutor(AT_ONCE, "passwords")
        self.nobodys: str | None = None
        self.waiting = 0

    async def hashed(self, password: str) -> str:
        return await self.in_thread(partial(self.hasher.hash, password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Takes as long where nothing is kept: the time does not tell who has an account."""
        if len(password) > LONGEST:
            return False
        return await self.in_thread(partial(self.compare, kept, password))

    async def weakness(self, password: str, known: Iterable[str]) -> str | None:
        """Why it is refused, or None."""
        return await self.in_thread(partial(weakness, password, known))

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with other costs than are wanted now."""
        return self.hasher.check_needs_rehash(kept)

    def compare(self, kept: str | None, password: str) -> bool:
        if self.nobodys is None:
            self.nobodys = self.hasher.hash(new_secret())
        try:
            self.hasher.verify(kept or self.nobodys, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    async def in_thread(self, work: Callable[[], T]) -> T:
        if self.waiting >= WAITING_LIMIT:
            raise Outage("too many passwords are being looked at", "BUSY")
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work)
        finally:
            self.waiting -= 1


def weakness(password: str, known: Iterable[str]) -> str | None:
    """`known` is what others know of the person."""
    if len(password) < SHORTEST:
        return f"must have at least {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"must have at most {LONGEST} characters"
    if not is_text(password):
        return "is not valid Unicode"
    told = zxcvbn(password[:LOOKED_AT], user_inputs=["onhand", *known])
    if told["guesses"] < GUESSES_LEAST:
        return "is among the passwords that are tried first, or close to one"
    return None


def is_text(password: str) -> bool:
    try:
        return bool(password.encode())
    except UnicodeEncodeError:
        return False
