"""What clients saw and what the ledger says, as plain values: all that the checker looks at. Times
are seconds of one monotonic clock, read by the clients."""

from dataclasses import dataclass
from typing import NamedTuple

Place = tuple[str, str]
"""SKU and warehouse."""


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


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that a client wanted, however often it had to ask. `returned` and `answer` are None
    where nobody ever answered. `reservation` is the one that a confirm, release or deduct is
    about; `pool` and `customer` are those of a sale."""

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


class Limit(NamedTuple):
    """Units that one customer may have of a pool, held and handed over together."""

    pool: str
    units: int


@dataclass(frozen=True, slots=True)
class Evidence:
    calls: tuple[Call, ...]
    rows: tuple[Row, ...]
    balances: dict[Place, Balance]
    limits: tuple[Limit, ...] = ()
