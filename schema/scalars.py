"""The one scalar that GraphQL does not bring: an instant in UTC."""

from datetime import UTC, datetime

import strawberry
from graphql import GraphQLError

from services.checks import instant


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read(text: object) -> datetime:
    if not isinstance(text, str):
        raise GraphQLError("DateTime is a string")
    try:
        return instant(text)
    except ValueError as error:
        raise GraphQLError(f"DateTime cannot represent {text!r}: {error}") from error


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant in UTC, written as RFC 3339: 2011-12-09T12:50:00Z.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=written,
    parse_value=read,
)
