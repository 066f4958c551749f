"""Puts each order line into exactly one class: sale, cancellation, non-stock, or dirty by a reason.

The reasons are looked for in the order of `Dirt`, so a line with several faults counts once.
Two identical lines of one invoice are two sales: the till wrote them so.
"""

import math
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from connectors.order_codes import is_odd, non_stock_kind, sku_code
from connectors.regions import warehouse_of
from domain.decisions import QUANTITY_LIMIT
from services.orders_in import OrderLine

Value = str | int | float | datetime | date | None
CACHED_VALUES = 65_536
"""Each reader function's memory: order lines repeat the same few thousand values."""
NULLS = frozenset({"", "null", "none", "nan", "nat", "#n/a"})


class LineClass(StrEnum):
    SALE = "sale"
    CANCELLATION = "cancellation"
    NON_STOCK = "non_stock"
    DIRTY = "dirty"


class Dirt(StrEnum):
    ROW_MALFORMED = "row_malformed"
    INVOICE_MISSING = "invoice_missing"
    CODE_MISSING = "code_missing"
    CODE_ODD = "code_odd"
    QUANTITY_MISSING = "quantity_missing"
    QUANTITY_UNREADABLE = "quantity_unreadable"
    QUANTITY_ZERO = "quantity_zero"
    QUANTITY_HUGE = "quantity_huge"
    DATE_MISSING = "date_missing"
    DATE_UNREADABLE = "date_unreadable"
    INVOICE_ADJUSTMENT = "invoice_adjustment"
    CANCELLATION_POSITIVE = "cancellation_positive"
    QUANTITY_NEGATIVE = "quantity_negative"
    PRICE_UNREADABLE = "price_unreadable"
    PRICE_NEGATIVE = "price_negative"
    NO_SALE_NAMED = "no_sale_named"
    NO_SALE_NAMELESS = "no_sale_nameless"


EXPLANATIONS = {
    Dirt.ROW_MALFORMED: "the row has more or fewer values than the header",
    Dirt.INVOICE_MISSING: "no invoice number",
    Dirt.CODE_MISSING: "no stock code",
    Dirt.CODE_ODD: "one sign, more than 64, or signs that belong into no code",
    Dirt.QUANTITY_MISSING: "no quantity",
    Dirt.QUANTITY_UNREADABLE: "the quantity is not a whole number",
    Dirt.QUANTITY_ZERO: "nothing was sold",
    Dirt.QUANTITY_HUGE: "more units than a cell may hold",
    Dirt.DATE_MISSING: "no date",
    Dirt.DATE_UNREADABLE: "the date fits neither ISO 8601 nor --date-format",
    Dirt.INVOICE_ADJUSTMENT: "an accounting entry (A...), not an invoice",
    Dirt.CANCELLATION_POSITIVE: "a cancellation (C...) that takes more out",
    Dirt.QUANTITY_NEGATIVE: "negative, but the invoice is no cancellation: a write-off",
    Dirt.PRICE_UNREADABLE: "the price is not a number",
    Dirt.PRICE_NEGATIVE: "a negative price",
    Dirt.NO_SALE_NAMED: "neither price nor customer: a gift or a stock note, it cannot be told",
    Dirt.NO_SALE_NAMELESS: "neither price, customer nor description: a stock note",
}


class Row(NamedTuple):
    """One input line, its values as they came. `number` counts data rows from 1; `note` is the
    whole text of a line that fell into no columns."""

    number: int
    invoice: Value = None
    code: Value = None
    description: Value = None
    quantity: Value = None
    at: Value = None
    price: Value = None
    customer: Value = None
    country: Value = None
    category: Value = None
    barcode: Value = None
    note: str | None = None


class Verdict(NamedTuple):
    """`reason` is a kind of non-stock line or the `Dirt`. Sales and cancellations carry a line."""

    line_class: LineClass
    reason: str = ""
    line: OrderLine | None = None


def dirty(reason: Dirt) -> Verdict:
    return Verdict(LineClass.DIRTY, reason)


def classify(row: Row, date_format: str) -> Verdict:
    """Codes decide first: postage is postage on any invoice. Then quantity and date must be
    readable, and at last the invoice's letter must agree with what stands beside it."""
    invoice, description = text(row.invoice), text(row.description)
    if invoice is None:
        return dirty(Dirt.INVOICE_MISSING)
    sku = goods(text(row.code), description)
    if isinstance(sku, Verdict):
        return sku
    quantity = whole(row.quantity)
    if isinstance(quantity, Dirt):
        return dirty(quantity)
    at = instant(row.at, date_format)
    if isinstance(at, Dirt):
        return dirty(at)
    letter = invoice[0].upper() if invoice[1:2].isdigit() else ""
    price, customer = amount(row.price), text(row.customer)
    fault = disagreement(letter, quantity, price, customer, description)
    if fault is not None:
        return dirty(fault)
    line = OrderLine(
        invoice,
        sku,
        description,
        abs(quantity),
        at,
        round(price * 100) if isinstance(price, float) else None,
        customer,
        warehouse_of(text(row.country)),
        letter == "C",
        text(row.category),
        text(row.barcode),
    )
    return Verdict(LineClass.CANCELLATION if line.comes_back else LineClass.SALE, "", line)


@lru_cache(CACHED_VALUES)
def goods(code: str | None, description: str | None) -> str | Verdict:
    """The SKU's code, or why there is none."""
    if code is None:
        return dirty(Dirt.CODE_MISSING)
    sku = sku_code(code)
    kind = non_stock_kind(sku, description)
    if kind is not None:
        return Verdict(LineClass.NON_STOCK, kind)
    return dirty(Dirt.CODE_ODD) if is_odd(sku) else sku


def disagreement(
    letter: str,
    quantity: int,
    price: float | Dirt | None,
    customer: str | None,
    description: str | None,
) -> Dirt | None:
    if letter == "A":
        return Dirt.INVOICE_ADJUSTMENT
    if letter == "C" and quantity > 0:
        return Dirt.CANCELLATION_POSITIVE
    if letter != "C" and quantity < 0:
        return Dirt.QUANTITY_NEGATIVE
    if isinstance(price, Dirt):
        return price
    if letter == "C" or price or customer is not None:
        return None
    return Dirt.NO_SALE_NAMELESS if description is None else Dirt.NO_SALE_NAMED


@lru_cache(CACHED_VALUES)
def text(value: Value) -> str | None:
    """The trimmed text; a number that was read as 17850.0 is written as the whole number it is."""
    if isinstance(value, str):
        trimmed = value.strip()
        return None if not trimmed or trimmed.casefold() in NULLS else trimmed
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def whole(value: Value) -> int | Dirt:
    """Units, not zero, and no more than a cell may hold."""
    if not isinstance(value, int):
        written = text(value)
        if written is None:
            return Dirt.QUANTITY_MISSING
        try:
            number = float(written)
        except ValueError:
            return Dirt.QUANTITY_UNREADABLE
        if not number.is_integer():
            return Dirt.QUANTITY_UNREADABLE
        value = int(number)
    if value == 0:
        return Dirt.QUANTITY_ZERO
    return value if abs(value) <= QUANTITY_LIMIT else Dirt.QUANTITY_HUGE


def amount(value: Value) -> float | Dirt | None:
    """A unit price; None if there is none."""
    if not isinstance(value, float):
        written = text(value)
        if written is None:
            return None
        try:
            value = float(written)
        except ValueError:
            return Dirt.PRICE_UNREADABLE
    if math.isnan(value):
        return None
    if math.isinf(value):
        return Dirt.PRICE_UNREADABLE
    return value if value >= 0 else Dirt.PRICE_NEGATIVE


@lru_cache(CACHED_VALUES)
def instant(value: Value, date_format: str) -> datetime | Dirt:
    """UTC; a time without a zone is taken as UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    written = text(value)
    if written is None:
        return Dirt.DATE_MISSING
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        try:
            at = datetime.strptime(written, date_format)
        except ValueError:
            return Dirt.DATE_UNREADABLE
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
