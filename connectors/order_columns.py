"""Finds our columns in a foreign file of order lines: by known spellings, or as the caller named.

Spellings are compared without case, blanks and signs, so "Customer ID", "customer_id" and
"CustomerID" are one. Nothing is guessed: a missing or doubtful column is refused by name.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class BadOrderFile(Exception):
    """The file cannot be read as order lines; the message says what to change."""


class Column(NamedTuple):
    name: str
    spellings: tuple[str, ...]
    required: bool = True


COLUMNS = (
    Column("invoice", ("invoiceno", "invoice", "invoicenumber", "invoiceid", "orderno", "orderid")),
    Column("code", ("stockcode", "code", "sku", "skucode", "itemcode", "productcode")),
    Column("description", ("description", "name", "itemname", "productname")),
    Column("quantity", ("quantity", "qty", "units")),
    Column("at", ("invoicedate", "at", "date", "datetime", "orderdate", "timestamp")),
    Column("price", ("unitprice", "price", "itemprice")),
    Column("customer", ("customerid", "customer", "customerno", "customernumber")),
    Column("country", ("country", "countryname", "countrycode")),
    Column("category", ("category", "categoryname", "productcategory"), required=False),
    Column("barcode", ("barcode", "ean", "ean13", "gtin"), required=False),
)
BY_SPELLING = {spelling: column.name for column in COLUMNS for spelling in column.spellings}


def plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def named_columns(pairs: Sequence[str]) -> dict[str, str]:
    """The caller's `ours=theirs` pairs, each of our columns under its own name."""
    named: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        column = BY_SPELLING.get(plain(ours))
        if not equals or column is None:
            known = ", ".join(column.name for column in COLUMNS)
            raise BadOrderFile(f"--column {pair}: say OURS=THEIRS, where OURS is one of {known}")
        named[column] = theirs
    return named


def find_columns(header: Sequence[str], named: Mapping[str, str]) -> dict[str, int]:
    """The position in `header` of each of our columns; optional ones may be absent."""
    found: dict[str, int] = {}
    for column in COLUMNS:
        theirs = named.get(column.name)
        if theirs is not None:
            places = [place for place, name in enumerate(header) if name == theirs]
        else:
            places = [place for place, name in enumerate(header) if plain(name) in column.spellings]
        if len(places) > 1:
            doubtful = ", ".join(repr(header[place]) for place in places)
            raise BadOrderFile(
                f"several columns could be {column.name}: {doubtful}; "
                f"name the right one with --column {column.name}=NAME"
            )
        if places:
            found[column.name] = places[0]
        elif theirs is not None or column.required:
            raise BadOrderFile(missing(column, theirs, header))
    return found


def missing(column: Column, theirs: str | None, header: Sequence[str]) -> str:
    has = ", ".join(repr(name) for name in header)
    if theirs is not None:
        return f"there is no column {theirs!r} for {column.name}; the file has {has}"
    known = ", ".join(column.spellings)
    return (
        f"the column {column.name} is missing (spellings known: {known}); the file has {has}; "
        f"name it with --column {column.name}=NAME"
    )
