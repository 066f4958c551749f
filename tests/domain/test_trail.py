"""The trail's chain: whatever is done to it afterwards is found, and named."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.trail import (
    DONE,
    FIRST_PREVIOUS,
    Fault,
    Finding,
    Head,
    Inspection,
    Link,
    Record,
    hash_of,
    linked,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERSON = UUID(int=7)


def record(number: int) -> Record:
    return Record(
        NOON + timedelta(seconds=number),
        "ann",
        PERSON,
        "adjustStock",
        f"TEA {number}",
        DONE,
        UUID(int=number),
        '{"delta":1}',
        None,
        '{"available":5}',
        "127.0.0.1",
        None,
    )


def chain(length: int = 6) -> list[Link]:
    return linked(None, [record(number) for number in range(length)])


def found(links: list[Link], heads: list[Head] | None = None) -> list[Finding]:
    inspection = Inspection(heads or [])
    return [*inspection.look(links), *inspection.end()]


def heads_of(links: list[Link]) -> list[Head]:
    return [Head(link.seq, link.hash) for link in links]


def test_a_whole_chain_has_no_fault() -> None:
    assert found(chain(), heads_of(chain())) == []


def test_an_empty_chain_has_no_fault() -> None:
    assert found([]) == []


def test_a_chain_goes_on_behind_its_head() -> None:
    links = chain(4)
    head = Head(links[1].seq, links[1].hash)
    assert linked(head, [record(2), record(3)]) == links[2:]


def test_the_first_record_has_nothing_before_it() -> None:
    assert chain(1)[0].previous == FIRST_PREVIOUS


CHANGES: dict[str, Any] = {
    "at": NOON + timedelta(days=1),
    "subject": "bob",
    "person": None,
    "act": "moveStock",
    "target": "CUP",
    "outcome": "CONFLICT",
    "request_id": UUID(int=99),
    "asked": '{"delta":2}',
    "before": "{}",
    "after": None,
    "address": "10.0.0.1",
    "correlation_id": "x",
}


@pytest.mark.parametrize("field", Record._fields)
def test_a_change_of_any_field_is_found(field: str) -> None:
    links = chain()
    changed = links[2].record._replace(**{field: CHANGES[field]})
    links[2] = links[2]._replace(record=changed)
    assert found(links) == [Finding(Fault.CHANGED, 3, 3)]


def test_a_change_with_a_hash_made_anew_breaks_the_chain_behind_it() -> None:
    links = chain()
    forged = links[2].record._replace(subject="bob")
    links[2] = links[2]._replace(record=forged, hash=hash_of(links[2].previous, forged))
    assert found(links) == [Finding(Fault.OUT_OF_PLACE, 4, 4)]


def test_a_chain_made_anew_does_not_get_past_a_head_that_was_told() -> None:
    told = heads_of(chain())[3:]
    forged = [record(number)._replace(subject="bob") for number in range(6)]
    assert found(linked(None, forged), told) == [
        Finding(Fault.REWRITTEN, seq, seq) for seq in (4, 5, 6)
    ]


def test_two_heads_of_one_record_cannot_both_be_true() -> None:
    links = chain()
    assert found(links, [Head(2, links[1].hash), Head(2, bytes(32))]) == [
        Finding(Fault.REWRITTEN, 2, 2)
    ]


def test_missing_records_are_counted() -> None:
    links = chain()
    assert found(links[:1] + links[3:]) == [Finding(Fault.MISSING, 2, 3)]
    assert found(links[2:]) == [Finding(Fault.MISSING, 1, 2)]


def test_a_tail_that_was_cut_off_is_missed_where_its_head_was_told() -> None:
    links = chain()
    assert found(links[:4], heads_of(links)) == [Finding(Fault.MISSING, 5, 6)]


def test_records_that_changed_places_are_found() -> None:
    links = chain()
    links[1], links[2] = links[2]._replace(seq=2), links[1]._replace(seq=3)
    assert found(links) == [Finding(Fault.OUT_OF_PLACE, seq, seq) for seq in (2, 3, 4)]


def test_a_chain_is_looked_at_in_parts() -> None:
    links = chain()
    inspection = Inspection(heads_of(links))
    parts = [inspection.look(links[:2]), inspection.look(links[2:]), inspection.end()]
    assert [finding for part in parts for finding in part] == []


@given(st.lists(st.text(), min_size=1), st.data())
def test_texts_cannot_move_from_one_field_to_the_next(
    texts: list[str], data: st.DataObject
) -> None:
    """Whatever stands in the fields: two different records have two hashes."""
    one = record(1)._replace(subject="".join(texts), act="")
    cut = data.draw(st.integers(0, len(one.subject)))
    other = one._replace(subject=one.subject[:cut], act=one.subject[cut:])
    assert (hash_of(FIRST_PREVIOUS, one) == hash_of(FIRST_PREVIOUS, other)) is (one == other)
