"""Who is asking: from an Authorization header, or what stands for one, to a Caller."""

import asyncio
from collections.abc import Awaitable, Callable

from api.tokens import verify
from domain.access import Caller
from infra.clock import Clock
from infra.outage import Outage

SCHEME = "bearer "
TRUST_SECONDS = 5.0
"""A token that was good is not looked at again for so long: verifying costs as much as reserving.
So a token that runs out, a session that is ended and a key that is revoked are taken for this much
longer, and while the database is away those who were known go on for as long."""
TRUSTED_LIMIT = 10_000
"""Tokens remembered; the oldest are forgotten first."""
ASKING_LIMIT = 256
"""Tokens that are looked up at the same time; more are told to ask again."""

Identify = Callable[[str], Awaitable[Caller | None]]
"""The caller of a session's token or an API key; raises Outage when that cannot be said."""


async def nobody(_token: str) -> None:
    return None


class Gate:
    """`identify` is asked about what is no development token; those are taken unless they are
    barred, as in production."""

    def __init__(
        self,
        secret: str,
        clock: Clock,
        identify: Identify = nobody,
        is_development: bool = True,
    ) -> None:
        self.secret = secret
        self.clock = clock
        self.identify = identify
        self.is_development = is_development
        self.trusted: dict[str, tuple[float, Caller]] = {}
        self.asking: dict[str, asyncio.Task[Caller | None]] = {}

    async def caller_of(self, authorization: str | None) -> Caller | None:
        """None without a header, with another scheme, or with a token that is not good. Raises
        Outage when that cannot be said."""
        if authorization is None or authorization[: len(SCHEME)].lower() != SCHEME:
            return None
        token = authorization[len(SCHEME) :].strip()
        now = asyncio.get_running_loop().time()
        until, caller = self.trusted.get(token, (0.0, None))
        if caller is not None and now < until:
            return caller
        found = verify(self.secret, token, self.clock.now()) if self.is_development else None
        found = found or await self.identified(token)
        self.trusted.pop(token, None)
        if found is not None:
            if len(self.trusted) >= TRUSTED_LIMIT:
                del self.trusted[next(iter(self.trusted))]
            self.trusted[token] = (now + TRUST_SECONDS, found)
        return found

    async def is_still(self, caller: Caller, authorization: str | None) -> bool:
        """Whether this is shown by the same one, with the same grants, as it was before. While that
        cannot be said, nobody is sent away."""
        try:
            return await self.caller_of(authorization) == caller
        except Outage:
            return True

    async def identified(self, token: str) -> Caller | None:
        """Once, however many show the same token at this moment."""
        task = self.asking.get(token)
        if task is None:
            if len(self.asking) >= ASKING_LIMIT:
                raise Outage("too many tokens are being looked at", "BUSY")
            task = asyncio.create_task(self.ask(token))
            self.asking[token] = task
            task.add_done_callback(heard)
        return await asyncio.shield(task)

    async def ask(self, token: str) -> Caller | None:
        try:
            return await self.identify(token)
        finally:
            del self.asking[token]


def heard(task: asyncio.Task[Caller | None]) -> None:
    """Whoever asked may have gone: an outage is then nobody's."""
    if not task.cancelled():
        task.exception()
