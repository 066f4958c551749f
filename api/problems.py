"""Answers that are errors of the edge."""

from collections.abc import Mapping

import msgspec

from infra.limits import Limits, beyond
from schema.engine import Answer


def problem(message: str, code: str, **facts: object) -> Answer:
    return stated(message, {"code": code, **facts})


def stated(message: str, extensions: Mapping[str, object]) -> Answer:
    body = msgspec.json.encode({"errors": [{"message": message, "extensions": extensions}]})
    return Answer(body, was_executed=False, errors=(str(extensions["code"]),))


def over(limits: Limits, limit: str, message: str, **facts: object) -> Answer:
    """The answer to what goes beyond a limit of the edge."""
    said = beyond(limits, limit)
    return stated(f"{message}: {said['limit']} at most ({said['setting']})", {**said, **facts})


def too_late(limits: Limits) -> Answer:
    """Nobody knows what became of it, so it is an outage as any other."""
    seconds = limits.operation_seconds
    message = f"no answer within {seconds} seconds: ask again with the same id"
    facts = {**beyond(limits, "operation_seconds"), "code": "UNAVAILABLE", "retryable": True}
    return stated(message, facts)._replace(was_executed=True)
