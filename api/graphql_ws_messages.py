"""What a socket of graphql-transport-ws hears and says, why it is closed, and the token in the
first thing it hears. Bodies are put in as the bytes that they are."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from api.attempts import BAD_TOKEN, NO_TOKEN
from schema.engine import Answer

PONG = '{"type":"pong"}'
PING = '{"type":"ping"}'
ACK = '{"type":"connection_ack"}'


class Said(msgspec.Struct):
    """Any message of a client."""

    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


class Closed(NamedTuple):
    code: int
    reason: str


BAD_MESSAGE = 4400
TOO_LONG = Closed(BAD_MESSAGE, "BODY_LIMIT: a message is too long")
UNAUTHORIZED = Closed(4401, "Unauthorized")
FORBIDDEN = Closed(4403, "Forbidden")
NO_SUBPROTOCOL = Closed(4406, "Subprotocol not acceptable")
NO_INIT = Closed(4408, "Connection initialisation timeout")
TOO_MANY_INITS = Closed(4429, "Too many initialisation requests")
SILENT = Closed(1002, "No answer to pings")
UNSURE = Closed(1013, "Cannot say who you are: try again later")
TOO_SLOW = Closed(1013, "Too slow")
TOO_MANY_SOCKETS = Closed(1013, "CONNECTIONS_LIMIT: too many connections of one caller")
INTERNAL = Closed(1011, "Internal error")

ATTEMPTS = {
    UNAUTHORIZED: (NO_TOKEN,),
    FORBIDDEN: (BAD_TOKEN,),
    TOO_LONG: ("BODY_LIMIT",),
    TOO_MANY_SOCKETS: ("CONNECTIONS_LIMIT",),
}
"""What somebody tried whose socket is closed with this."""


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
