"""Whatever goes over the wire arrives as it was sent, to the type."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.wire import (
    REPLY_TYPES,
    Done,
    Elsewhere,
    Failed,
    LineDone,
    Moved,
    Reply,
    decode_answer,
    decode_replies,
    decode_requests,
    encode_answer,
    encode_replies,
    encode_requests,
    unwrap,
)
from domain.cell import Hold, Level
from domain.commands import COMMANDS, Buyer, CellKey, Line, Request
from domain.ledger import Bucket, Note
from domain.refusals import REFUSALS, InsufficientStock, Refusal
from domain.states import ApprovalState, ReservationState
from infra.outage import Outage
from tests.actors.world import BERLIN, receive

FRAMES = settings(max_examples=40, derandomize=True, database=None, deadline=None)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
INSTANTS = st.datetimes(
    datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC), allow_imaginary=False
)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    UUID: st.uuids(),
    int: NUMBERS,
    str: TEXTS,
    bool: st.booleans(),
    datetime: INSTANTS,
    Bucket: st.sampled_from(Bucket),
    ApprovalState: st.sampled_from(ApprovalState),
    ReservationState: st.sampled_from(ReservationState),
    type(None): st.none(),
}


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a NamedTuple or dataclass of the domain, from its own annotations."""
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    if get_origin(kind) in (Union, UnionType):
        return st.one_of([anything(choice) for choice in get_args(kind)])
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)] if is_dataclass(kind) else kind._fields
    return st.builds(kind, **{name: anything(hints[name]) for name in names})


def requests(command: type) -> st.SearchStrategy[Request]:
    lines = st.lists(st.builds(Line, anything(CellKey), anything(command)), min_size=1, max_size=4)
    return st.builds(
        Request,
        st.uuids(),
        NUMBERS,
        anything(CellKey),
        lines.map(tuple),
        anything(Note),
        anything(Buyer),
    )


LINES_DONE = st.builds(
    LineDone,
    anything(CellKey),
    st.none() | anything(Level),
    st.none() | anything(Hold),
    st.booleans(),
)
FAILED = st.builds(Failed, st.sampled_from(["UNAVAILABLE", "BUSY", "INTERNAL"]), TEXTS)
REPLIES: dict[Any, st.SearchStrategy[Reply]] = {
    Done: st.lists(LINES_DONE, max_size=4).map(lambda lines: Done(tuple(lines))),
    Elsewhere: st.just(Elsewhere()),
    Failed: FAILED,
    Moved: st.builds(Moved, st.lists(st.tuples(anything(CellKey), TEXTS), max_size=3).map(tuple)),
    **{refusal: anything(refusal) for refusal in REFUSALS},
}


def types_in(value: Any) -> Any:
    """The value's type, and those of all that is inside."""
    if isinstance(value, tuple):
        return type(value), [types_in(part) for part in value]
    return type(value)


@pytest.mark.parametrize("command", COMMANDS)
@FRAMES
@given(st.data())
def test_requests_of_every_command_arrive_as_they_were_sent(
    command: type, data: st.DataObject
) -> None:
    sent = data.draw(st.lists(requests(command), min_size=1, max_size=3))
    arrived = decode_requests(encode_requests(sent))
    assert arrived == sent
    for before, after in zip(sent, arrived, strict=True):
        assert [types_in(tuple(line)) for line in after.lines] == [
            types_in(tuple(line)) for line in before.lines
        ]
        assert types_in(after[2]) == types_in(before[2])
        assert types_in(after[4:]) == types_in(before[4:])


@FRAMES
@given(st.lists(st.sampled_from(COMMANDS).flatmap(requests), max_size=5))
def test_a_frame_may_mix_all_commands(sent: list[Request]) -> None:
    assert decode_requests(encode_requests(sent)) == sent


@pytest.mark.parametrize("kind", REPLY_TYPES)
@FRAMES
@given(st.data())
def test_replies_of_every_kind_arrive_as_they_were_sent(kind: type, data: st.DataObject) -> None:
    sent = data.draw(REPLIES[kind])
    (arrived,) = decode_replies(encode_replies([sent]))
    assert arrived == sent
    assert type(arrived) is kind


@FRAMES
@given(st.lists(st.one_of(list(REPLIES.values())), max_size=6))
def test_a_frame_may_mix_all_replies(sent: list[Reply]) -> None:
    assert decode_replies(encode_replies(sent)) == sent


@FRAMES
@given(st.one_of(LINES_DONE, REPLIES[Done]))
def test_a_stored_outcome_is_read_as_it_was_written(done: LineDone | Done) -> None:
    assert decode_answer(encode_answer(done)) == done
    assert type(decode_answer(encode_answer(done))) is type(done)


def test_every_refusal_has_its_place_on_the_wire() -> None:
    assert set(REFUSALS) <= set(REPLY_TYPES)
    assert set(get_args(Refusal)) == set(REFUSALS)
    assert len(set(REPLY_TYPES)) == len(REPLY_TYPES)


def test_a_frame_that_is_not_ours_is_an_error_and_nothing_else() -> None:
    for frame in (b"", b"\xc1", b"{}", encode_requests([receive(1, 1)])[:-3]):
        with pytest.raises(msgspec.MsgspecError):
            decode_requests(frame)


def test_a_failure_is_raised_and_anything_else_is_given_back() -> None:
    refusal = InsufficientStock(*BERLIN, 1, 0)
    assert unwrap(refusal) == refusal
    assert unwrap(Elsewhere()) == Elsewhere()
    with pytest.raises(Outage) as busy:
        unwrap(Failed("BUSY", "full"))
    with pytest.raises(Outage, match="moving"):
        unwrap(Moved(()))
    assert (busy.value.code, busy.value.message) == ("BUSY", "full")
    with pytest.raises(RuntimeError, match="a bug"):
        unwrap(Failed("INTERNAL", "a bug"))
