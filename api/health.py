"""Whether this process lives, and whether what it depends on is there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

LOG = logging.getLogger("onhand.api")
CHECK_SECONDS = 2.0


class Check(NamedTuple):
    """`ask` returns when the dependency answers, and raises when it does not. Without one that is
    needed nothing can be reserved; without the others something is late."""

    ask: Callable[[], Awaitable[object]]
    is_needed: bool


class Found(NamedTuple):
    ok: bool
    milliseconds: float
    problem: str | None


class Health:
    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.checks = checks

    async def live(self, _request: Request) -> Response:
        return told({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """503 while something that is needed is down; each dependency is told apart."""
        found = await asyncio.gather(*(look(name, check) for name, check in self.checks.items()))
        pairs = list(zip(self.checks.items(), found, strict=True))
        is_ready = all(one.ok for (_, check), one in pairs if check.is_needed)
        status = "ok" if all(one.ok for one in found) else "degraded"
        dependencies = {
            name: {
                "status": "ok" if one.ok else "down",
                "needed": check.is_needed,
                "milliseconds": one.milliseconds,
                **({"problem": one.problem} if one.problem else {}),
            }
            for (name, check), one in pairs
        }
        return told(
            {"status": status if is_ready else "down", "dependencies": dependencies},
            HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )


async def look(name: str, check: Check) -> Found:
    began = perf_counter()
    problem = None
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check.ask()
    except Exception as error:  # tidy: allow broad-except: whatever fails is what was asked for
        problem = type(error).__name__
        LOG.warning("%s is not ready: %r", name, error)
    return Found(problem is None, round((perf_counter() - began) * 1000, 1), problem)


def told(answer: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(
        msgspec.json.encode(answer),
        status,
        {"cache-control": "no-store"},
        "application/json",
    )
