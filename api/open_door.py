"""What may be asked without a token: one sign-in or one refresh, and nothing beside it.

Strangers' documents are read apart: they push none of those that callers use out of memory.
"""

from dataclasses import replace

from graphql import FieldNode

from api.operations import Asked, Operations, Sent
from api.rates import SIGN_IN
from schema.engine import Answer
from services.identify import STRANGER

BODY_LIMIT_BYTES = 16 * 1024
"""Of a stranger's request."""


class OpenDoor:
    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        body_limit = min(BODY_LIMIT_BYTES, operations.limits.body_limit)
        self.limits = replace(operations.limits, body_limit=body_limit)

    def asked(self, sent: Sent, raw: bytes) -> Asked | None:
        """The operation, if it is one of those; looked at only where it may be."""
        text = self.operations.text_of(sent)
        if isinstance(text, Answer) or not any(name in text for name in SIGN_IN):
            return None
        asked = self.operations.prepare(STRANGER, sent, raw)
        return asked if isinstance(asked, Asked) and is_open(asked) else None


def is_open(asked: Asked) -> bool:
    selections = asked.prepared.operation.selection_set.selections
    if asked.kind != "mutation" or len(selections) != 1:
        return False
    (only,) = selections
    return isinstance(only, FieldNode) and only.name.value in SIGN_IN
