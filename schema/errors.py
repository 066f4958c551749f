"""What a client is told of an error. An outage says so and may be asked again; a mistake of the
client is explained; anything else is ours, is logged with its stack, and keeps its secrets."""

import logging
from typing import Any

from graphql import GraphQLError

from infra.database import LOST
from infra.outage import Outage
from services.pages import BadPage

LOG = logging.getLogger("onhand.schema")


def told(error: GraphQLError, correlation_id: str) -> dict[str, Any]:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        extensions = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
        return described(error, error.message, extensions)
    if isinstance(cause, Outage):
        return described(error, cause.message, {"code": cause.code, "retryable": True})
    if isinstance(cause, LOST):
        LOG.warning("the database cannot be reached: %r", cause)
        message = "the database cannot be reached: ask again"
        return described(error, message, {"code": "UNAVAILABLE", "retryable": True})
    if isinstance(cause, BadPage):
        extensions = {"code": "BAD_USER_INPUT", "field": cause.field}
        return described(error, f"{cause.field} {cause.message}", extensions)
    LOG.error("a resolver failed at %s", error.path, exc_info=cause)
    extensions = {"code": "INTERNAL", "correlationId": correlation_id}
    return described(error, "internal error", extensions)


def described(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    return {**error.formatted, "message": message, "extensions": extensions}


def code_of(told_error: dict[str, Any]) -> str:
    return str(told_error["extensions"]["code"])
