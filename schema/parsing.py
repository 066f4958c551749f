"""From the raw maps of GraphQL inputs to the commands of services/.

Here an id becomes a UUID; everything else that may be wrong with a command is refused by the
service, for whoever calls it. A mutation gets Invalid as a value, to put into its union; a query
has no union and gets a GraphQL error.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from graphql import GraphQLError

from domain.refusals import Invalid
from domain.routing import Want

Raw = Mapping[str, Any]
T = TypeVar("T")
C = TypeVar("C", bound=type)


class Malformed(Exception):
    """Never leaves this module's callers: it becomes Invalid or a GraphQL error."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.refusal = Invalid(field, message)


def command(parse: Callable[[Raw], T]) -> Callable[[C], C]:
    """Let an input type arrive at its resolver as `T | Invalid` instead of itself."""

    def from_input(_type: type, raw: Raw, _context: object) -> T | Invalid:
        try:
            return parse(raw)
        except Malformed as bad:
            return bad.refusal

    return arriving_by(from_input)


def question(parse: Callable[[Raw], T]) -> Callable[[C], C]:
    """Let an input type arrive at its resolver as `T`; a malformed one is a GraphQL error."""

    def from_input(_type: type, raw: Raw, _context: object) -> T:
        return asked(parse, raw)

    return arriving_by(from_input)


def arriving_by(from_input: Callable[[type, Raw, object], Any]) -> Callable[[C], C]:
    def mark(input_type: C) -> C:
        input_type.__strawberry_definition__.from_input = from_input  # type: ignore[attr-defined]
        return input_type

    return mark


def attempt(parse: Callable[..., T], *values: object) -> T | Invalid:
    try:
        return parse(*values)
    except Malformed as bad:
        return bad.refusal


def asked(parse: Callable[..., T], *values: object) -> T:
    try:
        return parse(*values)
    except Malformed as bad:
        raise GraphQLError(
            f"{bad.refusal.field}: {bad.refusal.message}",
            extensions={"code": "BAD_USER_INPUT", "field": bad.refusal.field},
        ) from None


def uuid(field: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed(field, "must be a UUID") from None


def uuid_or_none(field: str, text: str | None) -> UUID | None:
    return None if text is None else uuid(field, text)


def wants(lines: Iterable[Raw]) -> tuple[Want, ...]:
    return tuple(Want(line["sku"], line.get("warehouse"), line["quantity"]) for line in lines)


def many(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
