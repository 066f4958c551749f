"""Who is asking: from an Authorization header, or what stands for one, to a Caller."""

import asyncio

from api.tokens import verify
from domain.access import Caller
from infra.clock import Clock

SCHEME = "bearer "
TRUST_SECONDS = 5.0
"""A token that was good is not looked at again for so long: verifying costs as much as reserving.
So a token that runs out is taken for this much longer."""
TRUSTED_LIMIT = 2_000
"""Tokens remembered."""


class Gate:
    def __init__(self, secret: str, clock: Clock) -> None:
        self.secret = secret
        self.clock = clock
        self.trusted: dict[str, tuple[float, Caller]] = {}

    def caller_of(self, authorization: str | None) -> Caller | None:
        """None without a header, with another scheme, or with a token that is not good."""
        if authorization is None or authorization[: len(SCHEME)].lower() != SCHEME:
            return None
        token = authorization[len(SCHEME) :].strip()
        now = asyncio.get_running_loop().time()
        until, caller = self.trusted.get(token, (0.0, None))
        if caller is not None and now < until:
            return caller
        verified = verify(self.secret, token, self.clock.now())
        if verified is None:
            self.trusted.pop(token, None)
            return None
        if len(self.trusted) >= TRUSTED_LIMIT:
            self.trusted.clear()
        self.trusted[token] = (now + TRUST_SECONDS, verified)
        return verified
