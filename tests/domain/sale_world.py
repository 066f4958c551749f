"""A sale of some cells that keeps its tally, and stories about it in words."""

from datetime import timedelta
from uuid import UUID

from domain.cell import Cell, Change, Tally, apply
from domain.commands import CellKey, Draw, Expire, Release, Withdraw
from domain.decisions import decide
from domain.draws import Candidate, decide_draw, give_back, given_back, note_draw
from domain.flash_sales import pool_of
from domain.refusals import (
    Conflict,
    InsufficientStock,
    Invalid,
    LimitReached,
    Refusal,
    SaleNotOpen,
    TicketRequired,
)
from tests.domain.story import id_of
from tests.domain.world import START

SALE = UUID(int=7)
POOL = pool_of(SALE)
HOUR = timedelta(hours=1)
TTL = timedelta(minutes=10)
ENDS = {"release": Release, "expire": Expire, "withdraw": Withdraw}


class Sale:
    """Open from START for an hour: so many units per cell, and one limit."""

    def __init__(self, limit: int | None, **units: int) -> None:
        self.limit, self.now = limit, START
        self.tally = Tally()
        self.cells = {key: Cell(key, START, pools={POOL: n}) for key, n in keyed(units).items()}

    def draw(
        self, name: str, customer: str | None, ticket: UUID | None, *wants: tuple[str, int]
    ) -> list[tuple[Cell, Change]] | Refusal:
        closes = START + HOUR
        candidates = [
            Candidate(
                cell,
                Draw(id_of(name), units, self.now + TTL, POOL, self.limit, START, closes, ticket),
            )
            for sku, units in wants
            for cell in self.cells.values()
            if cell.key.sku == sku
        ]
        answer = decide_draw(candidates, self.tally, customer, self.now)
        if isinstance(answer, list):
            for cell, change in answer:
                apply(cell, change)
                assert change.entry is not None
                units = change.entry.quantity
                note_draw(self.tally, id_of(name), customer, units, ticket)
        return answer

    def end(self, name: str, how: str) -> None:
        for cell in self.cells.values():
            hold = cell.holds.get(id_of(name))
            change = decide(cell, ENDS[how](id_of(name)), id_of(name), self.now)
            if isinstance(change, Change):
                if given_back(hold, change.entry):
                    assert hold is not None
                    give_back(self.tally, hold.customer, hold.left)
                apply(cell, change)


def keyed(units: dict[str, int]) -> dict[CellKey, int]:
    return {CellKey(*name.split("_")): n for name, n in units.items()}


def tell(sale: Sale, story: str) -> None:
    """`ann D1 2 TEA, 1 CUP with T1 -> BER 2`: who, reservation, wants, ticket, and what came.
    `-` is nobody; `tick 60m`, `release D1`, `expire D1` and `withdraw D1` are told, not asked."""
    rows = [row.partition("->") for row in story.splitlines() if row.strip()]
    went = [f"{row[0].strip()} -> {play(sale, row[0].split())}" for row in rows]
    assert went == [f"{row[0].strip()} -> {row[2].strip()}" for row in rows]


def play(sale: Sale, words: list[str]) -> str:
    match words:
        case ["tick", minutes]:
            sale.now += timedelta(minutes=int(minutes.removesuffix("m")))
            return ""
        case ["release" | "expire" | "withdraw" as how, name]:
            sale.end(name, how)
            return ""
        case [customer, name, *wants]:
            order, _, ticket = " ".join(wants).partition(" with ")
            lines = [line.split() for line in order.split(", ")]
            return in_words(
                sale.draw(
                    name,
                    None if customer == "-" else customer,
                    id_of(ticket) if ticket else None,
                    *((sku, int(units)) for units, sku in lines),
                )
            )
    raise ValueError(words)


def in_words(answer: list[tuple[Cell, Change]] | Refusal) -> str:
    match answer:
        case list():
            parts = [(cell.key, change.entry) for cell, change in answer]
            return ", ".join(f"{k.sku} {k.warehouse} {e.quantity}" for k, e in parts if e)
        case Invalid(field):
            return f"invalid {field}"
        case Conflict():
            return "conflict"
        case SaleNotOpen(_, closed_at):
            return "over" if closed_at else "not yet"
        case TicketRequired(sale_id):
            assert sale_id == SALE
            return "ticket"
        case LimitReached(limit, taken):
            return f"limit {taken} of {limit}"
        case InsufficientStock(sku, None, wanted, left):
            return f"short {sku} {wanted} {left}"
    raise AssertionError(answer)
