"""Every expected no, as a value.

Refusal
├── NotPermitted        the caller may not do this
├── Invalid             a field is malformed or out of range
├── NotFound            no such SKU, warehouse, reservation or sale
├── Conflict            the id was used before with other content
├── NeedsApproval       nothing has happened yet: a second person has to grant it
├── ApprovalClosed      a second person was asked for this, and it will not be done
├── SaleNotOpen         the flash sale has not opened or is over
├── TicketRequired      the flash sale lets in only admitted buyers
├── LockedOut           too many wrong passwords: nobody looks at more of them until then
├── InvalidCredentials  the password, key or token is not good; it is not said why
├── LimitReached        the customer's limit in the sale is used up
├── ReservationClosed   the reservation no longer holds anything
├── Stale               the bucket does not hold what the caller believed
└── InsufficientStock   not enough units; like LockedOut it may pass by itself

The order is the order in which they are looked for: the first that applies is the answer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, get_args
from uuid import UUID

from domain.states import ApprovalState, ReservationState


@dataclass(frozen=True, slots=True)
class NotPermitted:
    code: ClassVar[str] = "NOT_PERMITTED"
    is_transient: ClassVar[bool] = False
    permission: str

    @property
    def message(self) -> str:
        return f"this needs the permission {self.permission}"


@dataclass(frozen=True, slots=True)
class Invalid:
    code: ClassVar[str] = "INVALID"
    is_transient: ClassVar[bool] = False
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class NotFound:
    code: ClassVar[str] = "NOT_FOUND"
    is_transient: ClassVar[bool] = False
    what: str
    key: str

    @property
    def message(self) -> str:
        return f"no {self.what} {self.key}"


@dataclass(frozen=True, slots=True)
class Conflict:
    code: ClassVar[str] = "CONFLICT"
    is_transient: ClassVar[bool] = False
    id: UUID

    @property
    def message(self) -> str:
        return f"the id {self.id} was used before with other content"


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """`request_id` is the act's own id: sent again once it is granted, it has its answer."""

    code: ClassVar[str] = "NEEDS_APPROVAL"
    is_transient: ClassVar[bool] = True
    request_id: UUID
    act: str
    expires_at: datetime

    @property
    def message(self) -> str:
        until = f"{self.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        return f"a second person has to grant this by {until}; nothing has happened yet"


@dataclass(frozen=True, slots=True)
class ApprovalClosed:
    code: ClassVar[str] = "APPROVAL_CLOSED"
    is_transient: ClassVar[bool] = False
    state: ApprovalState

    @property
    def message(self) -> str:
        return f"the request for approval is {self.state.value}"


@dataclass(frozen=True, slots=True)
class SaleNotOpen:
    code: ClassVar[str] = "SALE_NOT_OPEN"
    is_transient: ClassVar[bool] = False
    opens_at: datetime | None
    closed_at: datetime | None

    @property
    def message(self) -> str:
        return "the sale is over" if self.closed_at else "the sale has not opened yet"


@dataclass(frozen=True, slots=True)
class TicketRequired:
    code: ClassVar[str] = "TICKET_REQUIRED"
    is_transient: ClassVar[bool] = False
    sale_id: UUID

    @property
    def message(self) -> str:
        return "this sale has a waiting room: join it and come back with the admitted ticket"


@dataclass(frozen=True, slots=True)
class LockedOut:
    code: ClassVar[str] = "LOCKED_OUT"
    is_transient: ClassVar[bool] = True
    until: datetime

    @property
    def message(self) -> str:
        return f"too many attempts: wait until {self.until:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class InvalidCredentials:
    """The same for whoever is not known, may not sign in, or is wrong: it tells nothing."""

    code: ClassVar[str] = "INVALID_CREDENTIALS"
    is_transient: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return "these credentials are not good"


@dataclass(frozen=True, slots=True)
class LimitReached:
    code: ClassVar[str] = "LIMIT_REACHED"
    is_transient: ClassVar[bool] = False
    limit: int
    already_taken: int

    @property
    def message(self) -> str:
        return f"at most {self.limit} per customer, {self.already_taken} already taken"


@dataclass(frozen=True, slots=True)
class ReservationClosed:
    code: ClassVar[str] = "RESERVATION_CLOSED"
    is_transient: ClassVar[bool] = False
    state: ReservationState

    @property
    def message(self) -> str:
        return f"the reservation is {self.state.value}"


@dataclass(frozen=True, slots=True)
class Stale:
    code: ClassVar[str] = "STALE"
    is_transient: ClassVar[bool] = False
    expected: int
    actual: int

    @property
    def message(self) -> str:
        return f"the bucket holds {self.actual}, not {self.expected}"


@dataclass(frozen=True, slots=True)
class InsufficientStock:
    code: ClassVar[str] = "INSUFFICIENT_STOCK"
    is_transient: ClassVar[bool] = True
    sku: str
    warehouse: str | None
    requested: int
    available: int

    @property
    def message(self) -> str:
        place = self.warehouse or "any warehouse"
        return f"{self.requested} of {self.sku} wanted, {self.available} available in {place}"


Refusal = (
    NotPermitted
    | Invalid
    | NotFound
    | Conflict
    | NeedsApproval
    | ApprovalClosed
    | SaleNotOpen
    | TicketRequired
    | LockedOut
    | InvalidCredentials
    | LimitReached
    | ReservationClosed
    | Stale
    | InsufficientStock
)
REFUSALS: tuple[type[Refusal], ...] = get_args(Refusal)
"""In the order in which they are looked for."""
