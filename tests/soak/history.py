"""What clients saw and what the ledger says, as plain values: all that the checker looks at. Times
are seconds of one monotonic clock, read by the clients."""

from dataclasses import dataclass
from typing import NamedTuple

Place = tuple[str, str]
"""SKU and warehouse."""
HELD = "Reservation"
"""The answer of who has got what was wanted."""
ENDED = "EXPIRED"
"""The answer of who asked so late that the order's time was over: nothing of it is held."""


class Told(NamedTuple):
    """One line of an answer."""

    cell: Place
    quantity: int
    seq: int
    after: int


class Short(NamedTuple):
    """A refusal for lack of stock. `warehouse` None: all warehouses together."""

    sku: str
    warehouse: str | None
    requested: int
    available: int


class Over(NamedTuple):
    """A refusal for the limit per customer, and what the customer had by its words."""

    limit: int
    had: int


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that a client wanted, however often it had to ask. `returned` and `answer` are None
    where nobody ever answered. `reservation` is the one that a confirm, release or deduct is
    about; `pool`, `customer`, `place` in the waiting room and `ticket` are those of a sale."""

    what: str
    id: str
    invoked: float
    returned: float | None
    answer: str | None
    wanted: tuple[tuple[str, str | None, int], ...] = ()
    told: tuple[Told, ...] = ()
    short: Short | None = None
    reservation: str | None = None
    customer: str | None = None
    pool: str | None = None
    place: int | None = None
    ticket: str | None = None
    over: Over | None = None


class Row(NamedTuple):
    """An entry of the ledger. `at` orders entries of several cells."""

    cell: Place
    seq: int
    movement: int
    quantity: int
    pool: str | None
    request: str
    at: float = 0.0


class Balance(NamedTuple):
    """The stored level of a cell at the end."""

    seq: int
    available: int
    reserved: int


class Sale(NamedTuple):
    """A flash sale that was asked for. `limit` units per customer, held and handed over together;
    `opens` and `closes` by the clock of `Row.at`; `is_agreed`: somebody was told that it stands;
    `is_over`: somebody was told that all is given back."""

    pool: str
    limit: int
    opens: float
    closes: float
    allotments: dict[Place, int]
    is_agreed: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    calls: tuple[Call, ...]
    rows: tuple[Row, ...]
    balances: dict[Place, Balance]
    sales: tuple[Sale, ...] = ()
