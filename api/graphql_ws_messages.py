"""What a socket of graphql-transport-ws says, and the token in the first thing it hears. Bodies are
put in as the bytes that they are."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schema.engine import Answer


def authorization_in(payload: Mapping[str, Any]) -> str | None:
    """Headers are written in any case, and so is what stands for them."""
    for name, value in payload.items():
        if name.lower() == "authorization" and isinstance(value, str):
            return value
    return None


def quoted(key: str) -> str:
    return msgspec.json.encode(key).decode()


def around_next(key: str) -> tuple[str, str]:
    """What stands before and behind the body of each answer."""
    return f'{{"id":{quoted(key)},"type":"next","payload":', "}"


def next_message(key: str, answer: Answer) -> str:
    return answer.body.decode().join(around_next(key))


def error_message(key: str, answer: Answer) -> str:
    errors = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])["errors"]
    return f'{{"id":{quoted(key)},"type":"error","payload":{bytes(errors).decode()}}}'


def complete_message(key: str) -> str:
    return f'{{"id":{quoted(key)},"type":"complete"}}'
