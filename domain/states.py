"""The life of a reservation: held -> confirmed -> deducted, or released, or expired."""

from enum import StrEnum


class ReservationState(StrEnum):
    HELD = "held"
    CONFIRMED = "confirmed"
    DEDUCTED = "deducted"
    RELEASED = "released"
    EXPIRED = "expired"


OPEN_STATES = (ReservationState.HELD, ReservationState.CONFIRMED)


def reservation_state(holds: list[ReservationState]) -> ReservationState:
    """The state of a reservation from the states of its holds (at least one): the least finished
    open hold counts; with none open, handed over counts before released before expired."""
    order = (
        ReservationState.HELD,
        ReservationState.CONFIRMED,
        ReservationState.DEDUCTED,
        ReservationState.RELEASED,
        ReservationState.EXPIRED,
    )
    return min(holds, key=order.index)


class ApprovalState(StrEnum):
    """PENDING waits for a decision. GRANTED is decided and being carried out: whoever comes next
    finishes that. The others are how it ended."""

    PENDING = "pending"
    GRANTED = "granted"
    DONE = "done"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    FAILED = "failed"
