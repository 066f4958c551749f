"""Order lines as they come in from another shop system, in our words, and grouped by invoice.

A line here is certain: it was sold, or it was sold before and came back. What could not be told
never becomes a line (connectors list it by reason).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class OrderLine(NamedTuple):
    """`quantity` is positive in base units; `at` is UTC; `comes_back` marks a cancellation."""

    invoice: str
    sku: str
    name: str | None
    quantity: int
    at: datetime
    price_cents: int | None
    customer: str | None
    warehouse: str
    comes_back: bool = False
    category: str | None = None
    barcode: str | None = None


class ReturnLine(NamedTuple):
    sku: str
    quantity: int


@dataclass(slots=True)
class Invoice:
    """All lines of one invoice number: lines of the same SKU are merged when sold, and kept apart
    when they come back. Time, warehouse and customer are those of its first line."""

    number: str
    at: datetime
    warehouse: str
    customer: str | None
    wants: dict[str, int] = field(default_factory=dict)
    returns: list[ReturnLine] = field(default_factory=list)
    lines: int = 0

    def add(self, line: OrderLine) -> None:
        self.lines += 1
        if line.comes_back:
            self.returns.append(ReturnLine(line.sku, line.quantity))
        else:
            self.wants[line.sku] = self.wants.get(line.sku, 0) + line.quantity


def in_time_order(lines: Iterable[OrderLine]) -> list[Invoice]:
    """The invoices by the time of their first line; equal times keep the order of the file."""
    invoices: dict[str, Invoice] = {}
    for line in lines:
        invoice = invoices.get(line.invoice)
        if invoice is None:
            invoice = Invoice(line.invoice, line.at, line.warehouse, line.customer)
            invoices[line.invoice] = invoice
        invoice.add(line)
    return sorted(invoices.values(), key=lambda invoice: invoice.at)
