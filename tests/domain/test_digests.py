"""Digests of the ledger: what a stretch is held to."""

import pytest

from domain.digests import LedgerFault, Stretch, digest_of, fault_of

HASH = bytes(32)
OTHER = bytes([7]) * 32
STRETCH = Stretch(1, 11, 20, HASH)


@pytest.mark.parametrize(
    ("before", "found", "again", "fault"),
    [
        (10, 10, HASH, None),
        (10, 10, OTHER, LedgerFault.CHANGED),
        (10, 9, OTHER, LedgerFault.MISSING),
        (9, 10, HASH, LedgerFault.MISSING),
        (0, 10, HASH, LedgerFault.MISSING),
    ],
)
def test_a_stretch_is_what_it_was_or_it_is_told(
    before: int, found: int, again: bytes, fault: LedgerFault | None
) -> None:
    assert fault_of(STRETCH, before, found, again) is fault


def test_a_digest_covers_every_part_of_every_stretch_and_their_order() -> None:
    two = [STRETCH, Stretch(2, 1, 5, OTHER)]
    others = [
        [],
        two[:1],
        two[::-1],
        [STRETCH._replace(first=10), two[1]],
        [STRETCH._replace(last=21), two[1]],
        [STRETCH._replace(hash=OTHER), two[1]],
        [STRETCH._replace(cell=3), two[1]],
    ]
    assert len({digest_of(one) for one in (two, *others)}) == 8
