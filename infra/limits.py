"""What the API takes at most: every limit with its setting, in one place.

Whoever goes beyond one is told its code, its value and its setting, all made of the name of the
field: `depth_limit` is DEPTH_LIMIT and ONHAND_DEPTH_LIMIT.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from infra.variables import Variable, number

HIGHEST = 999_999_999
"""What no setting exceeds."""


def limit(default: int, meaning: str, highest: int = HIGHEST, least: int = 1) -> Any:
    return field(default=default, metadata={"meaning": meaning, "highest": highest, "least": least})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    body_limit: int = limit(
        4 * 1024 * 1024, "bytes of a request or a message; 2,000 lines of a reservation are 0.2 MB"
    )
    tokens_limit: int = limit(
        50_000, "tokens of a document; some 800 aliased mutations with their inputs written out"
    )
    operations_limit: int = limit(50, "operations in a document, of which a request names one")
    depth_limit: int = limit(12, "fields within fields, introspection apart", 100)
    aliases_limit: int = limit(1_000, "aliases in a document")
    fields_limit: int = limit(1_000, "fields and spreads in one selection")
    cost_limit: int = limit(20_000, "cost of an operation: docs/limits.md says what costs what")
    page_limit: int = limit(100, "items of a page", 100, least=50)
    subscriptions_limit: int = limit(100, "operations that are open at once on one socket")
    connections_limit: int = limit(
        10_000, "sockets and event streams that one caller has open at one API process"
    )
    operation_seconds: int = limit(
        30, "how long a query or mutation may take; an owner that starts again is back well before"
    )
    sign_ins_per_minute: int = limit(
        120, "sign-ins and refreshed sessions of one address; wrong passwords lock it long before"
    )
    mutations_per_minute: int = limit(
        60_000, "mutations of one key, those of the life of a reservation apart: for importers"
    )
    person_mutations_per_minute: int = limit(
        600, "the same of one person, over all sessions: ten a second are more than hands do"
    )
    powerful_acts_per_minute: int = limit(
        60, "of each act on accounts, roles, keys, second factors or approvals, by one caller"
    )
    attempts_per_minute: int = limit(
        60, "attempts of one caller at what they may not do that the trail tells one by one"
    )
    exports_per_minute: int = limit(10, "exports of one caller")


DEFAULTS = Limits()
LIMIT_VARIABLES = tuple(
    Variable(
        f"ONHAND_{one.name.upper()}",
        one.name,
        number(one.metadata["least"], one.metadata["highest"]),
        str(one.default),
        one.metadata["meaning"],
    )
    for one in fields(Limits)
)


def beyond(limits: Limits, name: str) -> dict[str, object]:
    """What an error says of the limit, beside its message."""
    return {
        "code": name.upper(),
        "limit": getattr(limits, name),
        "setting": f"ONHAND_{name.upper()}",
    }
