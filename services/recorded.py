"""Acts that leave a record: what was asked, by whom, what became of it.

A record is written before the answer leaves, so an answer without a record cannot have been given.
Who repeats an act leaves a second record with the same request id. Reservations are not here: each
of their changes is a ledger entry already, with its caller.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from domain.access import Caller
from domain.refusals import NotPermitted, Refusal
from domain.trail import DONE, UNKNOWN, Record
from infra.logs import CORRELATION, ORIGIN
from infra.outage import Outage
from services.runtime import Runtime

T = TypeVar("T")
NAME_LENGTH = 64
TARGET_LENGTH = 200
"""Characters of a target that are kept."""
DONE_LIMIT = 400_000
REFUSED_LIMIT = 16_000
"""Characters of what was asked that are kept, and of why it was refused: what was done has passed
the limits of its use case (500 rows of the catalogue are the most); what was refused may be as long
as a body, and a record is kept for ever."""


class Act(NamedTuple):
    """`name` is that of the mutation, `target` what it is done to, `asked` the command, in which
    nothing may be secret."""

    name: str
    target: str
    request_id: UUID | None
    asked: object


class Around(NamedTuple):
    """What the target was before and after."""

    before: Any
    after: Any


def after_only(answer: object) -> Around:
    return Around(None, answer)


async def recorded(
    rt: Runtime,
    caller: Caller,
    act: Act,
    doing: Awaitable[T | Refusal],
    around: Callable[[T], Around] = after_only,
) -> T | Refusal:
    """What `doing` answers, once the trail has it. Raises Outage when the trail cannot take it: the
    same act, sent again with the same id, is done once and recorded then. Who was not permitted is
    recorded at the door."""
    try:
        answer = await doing
    except Outage:
        with suppress(Outage):
            await keep(rt, caller, act, UNKNOWN, Around(None, None))
        raise
    if isinstance(answer, NotPermitted):
        return answer
    if isinstance(answer, Refusal):
        await keep(rt, caller, act, answer.code, Around(None, answer.message))
    else:
        await keep(rt, caller, act, DONE, around(answer))
    return answer


async def turned_away(rt: Runtime, caller: Caller, verbs: Iterable[str]) -> None:
    """Somebody tried what they may not do. What they sent is not kept. Their answer does not
    depend on the trail: nothing was done."""
    with suppress(Outage):
        act = Act(" ".join(verbs)[:NAME_LENGTH], "", None, None)
        await keep(rt, caller, act, NotPermitted.code, Around(None, None))


async def keep(rt: Runtime, caller: Caller, act: Act, outcome: str, around: Around) -> None:
    limit = DONE_LIMIT if outcome == DONE else REFUSED_LIMIT
    after = None if around.after is None else as_json(around.after)
    await rt.trail.keep(
        Record(
            rt.clock.now(),
            caller.subject,
            caller.person,
            act.name,
            storable(act.target[:TARGET_LENGTH]),
            outcome,
            act.request_id,
            cut(as_json(act.asked), limit),
            None if around.before is None else as_json(around.before),
            after if after is None or outcome == DONE else cut(after, limit),
            ORIGIN.get(),
            CORRELATION.get(),
        )
    )


def as_json(value: object) -> str:
    plain = msgspec.to_builtins(value, str_keys=True)
    return storable(json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def cut(asked: str, limit: int) -> str:
    """JSON as it is, or how it begins and how long it was."""
    if len(asked) <= limit:
        return asked
    return as_json({"beginning": asked[:limit], "characters": len(asked)})


def storable(text: str) -> str:
    """What was sent may be anything; the database takes neither NUL nor half a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
