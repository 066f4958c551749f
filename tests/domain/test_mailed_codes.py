"""How often codes are sent by mail."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.mailed_codes import masked, sent_again_at

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def minutes(*past: float) -> list[datetime]:
    return [NOON - timedelta(minutes=one) for one in past]


@pytest.mark.parametrize(
    ("sent", "waits"),
    [
        ((), None),
        ((0.5,), 0.5),
        ((1,), None),
        ((50, 40, 30, 20), None),
        ((50, 40, 30, 20, 0.25), 10),
        ((50, 40, 30, 20, 10), 10),
        ((61, 50, 40, 30, 20), None),
        ((59.75, 50, 40, 30, 0), 1),
        ((55, 50, 40, 30, 20, 10), 10),
    ],
)
def test_one_a_minute_and_five_an_hour(sent: tuple[float, ...], waits: float | None) -> None:
    until = None if waits is None else NOON + timedelta(minutes=waits)
    assert sent_again_at(minutes(*sent), NOON) == until


def test_an_address_is_told_to_its_owner_only() -> None:
    assert masked("ann@shop.example") == "a***@shop.example"
    assert masked("") == "***@"
