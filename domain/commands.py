"""What can be asked of one cell, and the request that carries it to the owner.

Quantities are positive integers in base units, instants are UTC. A request may touch several cells
and is all or nothing in each owner that it reaches.
"""

from datetime import datetime
from typing import NamedTuple, get_args
from uuid import UUID

from domain.ledger import Bucket, Note


class CellKey(NamedTuple):
    sku: str
    warehouse: str


class Reserve(NamedTuple):
    """Hold `quantity` units of `pool` (None: the open pool) until `deadline`."""

    reservation: UUID
    quantity: int
    deadline: datetime
    pool: str | None = None


class Confirm(NamedTuple):
    reservation: UUID


class Deduct(NamedTuple):
    """Hand over `quantity` units of the hold; None hands over all that is left."""

    reservation: UUID
    quantity: int | None


class Release(NamedTuple):
    reservation: UUID


class Expire(NamedTuple):
    reservation: UUID


class Withdraw(NamedTuple):
    """Forget the hold, unless it has another deadline by now (None: whatever it has)."""

    reservation: UUID
    deadline: datetime | None = None


class Adopt(NamedTuple):
    """Give an unpaid hold this deadline: whoever made it can no longer withdraw it."""

    reservation: UUID
    deadline: datetime


class Receive(NamedTuple):
    quantity: int


class Adjust(NamedTuple):
    """Change `bucket` by `delta` (not 0); refused as Stale unless it holds `change_from`."""

    bucket: Bucket
    delta: int
    change_from: int | None


class Move(NamedTuple):
    source: Bucket
    target: Bucket
    quantity: int


class Return(NamedTuple):
    target: Bucket
    quantity: int


class Allot(NamedTuple):
    """Ring-fence `quantity` units of the open pool as `pool`."""

    pool: str
    quantity: int


class Unallot(NamedTuple):
    """Give `quantity` units of `pool` back to the open pool; None gives back all that is left."""

    pool: str
    quantity: int | None


class Read(NamedTuple):
    """Changes nothing: answers the level as the owner knows it."""


class Draw(NamedTuple):
    """Hold `quantity` units of its line's SKU out of a sale's `pool`. The lines of a request name
    the cells that may give them, the preferred first; which of them do, their owner decides.
    `limit` is per customer and for all SKUs together. Decided by domain.draws."""

    reservation: UUID
    quantity: int
    deadline: datetime
    pool: str
    limit: int | None
    opens_at: datetime
    closes_at: datetime
    ticket: UUID | None = None


Command = (
    Reserve
    | Confirm
    | Deduct
    | Release
    | Expire
    | Withdraw
    | Adopt
    | Receive
    | Adjust
    | Move
    | Return
    | Allot
    | Unallot
    | Read
    | Draw
)
COMMANDS: tuple[type[Command], ...] = get_args(Command)
REMEMBERED = (Reserve, Deduct, Receive, Adjust, Move, Return, Allot, Unallot, Draw)
"""The commands whose first answer is stored; the others are safe to repeat by their nature."""


class Line(NamedTuple):
    cell: CellKey
    command: Command


class Buyer(NamedTuple):
    """For whom a reservation is made; stored with each of its holds."""

    customer: str | None = None
    channel: str | None = None


class Request(NamedTuple):
    """One id and what it does, in one owner. `fingerprint` (64 bits, signed) tells whether two
    requests with the same id have the same content. `home` is the first cell of the whole request:
    its outcome has slot 0, so two requests with one id always meet in one row, wherever their
    other cells are. All lines carry the same type of command; no cell stands in two lines. The
    home of a Draw is its sale's anchor, the first of all cells of the sale."""

    id: UUID
    fingerprint: int
    home: CellKey
    lines: tuple[Line, ...]
    note: Note
    buyer: Buyer = Buyer()

    @property
    def at(self) -> tuple[CellKey, ...]:
        """The cells whose one owner is asked. A draw is decided where its sale's tally is: while
        other cells of the sale are elsewhere, the fence keeps them safe."""
        if type(self.lines[0][1]) is Draw:
            return (self.home,)
        return tuple([line[0] for line in self.lines])
