"""The trail: what was done or tried by whom, as a chain in which nothing can be changed unseen.

A record's hash covers the hash before it and all of its own content. So whoever changes, drops,
adds or moves a record has to make all later hashes anew, and does not get past a head that was told
elsewhere.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

FIRST_PREVIOUS = bytes(32)
"""What stands for the hash before the first record."""
DONE = "DONE"
"""The outcome of what was not refused; else it is the refusal's code, or UNKNOWN: an outage."""
UNKNOWN = "UNKNOWN"


class Record(NamedTuple):
    """`subject` did it, for the account of `person` if there is one. `target` is what it was done
    to; `asked`, `before` and `after` are JSON, without anything secret."""

    at: datetime
    subject: str
    person: UUID | None
    act: str
    target: str
    outcome: str
    request_id: UUID | None = None
    asked: str = "null"
    before: str | None = None
    after: str | None = None
    address: str | None = None
    correlation_id: str | None = None


class Link(NamedTuple):
    """A record in its place. `seq` grows by one."""

    seq: int
    previous: bytes
    hash: bytes
    record: Record


class Head(NamedTuple):
    """What was told elsewhere: the hash of the record `seq` at the time."""

    seq: int
    hash: bytes


class Fault(StrEnum):
    MISSING = "missing"
    CHANGED = "changed"
    OUT_OF_PLACE = "out of place"
    REWRITTEN = "rewritten since its head was told"


class Finding(NamedTuple):
    """From `seq` up to and with `upto`."""

    fault: Fault
    seq: int
    upto: int


def hash_of(previous: bytes, record: Record) -> bytes:
    at = record.at.astimezone(UTC).isoformat(timespec="microseconds")
    plain = [None if part is None else str(part) for part in record[1:]]
    content = json.dumps([at, *plain], ensure_ascii=False, separators=(",", ":"))
    return sha256(previous + content.encode("utf-8", "surrogatepass")).digest()


def linked(head: Head | None, records: Sequence[Record]) -> list[Link]:
    """The records put behind the head, in their order."""
    seq, previous = head or (0, FIRST_PREVIOUS)
    links = []
    for record in records:
        seq += 1
        links.append(Link(seq, previous, hash_of(previous, record), record))
        previous = links[-1].hash
    return links


class Inspection:
    """Looks at all links, in the order of their seq, some at a time; `heads` are what was told."""

    def __init__(self, heads: Iterable[Head]) -> None:
        self.seq = 0
        self.hash = FIRST_PREVIOUS
        self.told: dict[int, set[bytes]] = {}
        for head in heads:
            self.told.setdefault(head.seq, set()).add(head.hash)

    def look(self, links: Iterable[Link]) -> Iterator[Finding]:
        for link in links:
            if link.seq > self.seq + 1:
                yield Finding(Fault.MISSING, self.seq + 1, link.seq - 1)
            elif link.previous != self.hash:
                yield Finding(Fault.OUT_OF_PLACE, link.seq, link.seq)
            if link.hash != hash_of(link.previous, link.record):
                yield Finding(Fault.CHANGED, link.seq, link.seq)
            if self.told.pop(link.seq, {link.hash}) != {link.hash}:
                yield Finding(Fault.REWRITTEN, link.seq, link.seq)
            self.seq, self.hash = link.seq, link.hash

    def end(self) -> Iterator[Finding]:
        """After the last link: records that were told of and are not there."""
        last = max(self.told, default=0)
        if last > self.seq:
            yield Finding(Fault.MISSING, self.seq + 1, last)
