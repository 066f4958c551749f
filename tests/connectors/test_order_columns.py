"""Finding our columns in foreign files."""

import pytest

from connectors.order_columns import COLUMNS, BadOrderFile, find_columns, named_columns

UCI = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
REQUIRED = [column.name for column in COLUMNS if column.required]


@pytest.mark.parametrize(
    "header",
    [
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
        "invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country",
        "INVOICE NUMBER,sku,Name,QTY,Order Date,Item price,Customer,country",
    ],
)
def test_usual_spellings_are_known(header: str) -> None:
    found = find_columns(header.split(","), {})
    assert found == {name: place for place, name in enumerate(REQUIRED)}


def test_the_order_of_the_columns_does_not_matter() -> None:
    found = find_columns(UCI[::-1], {})
    assert found == {name: 7 - place for place, name in enumerate(REQUIRED)}


@pytest.mark.parametrize("place", range(len(UCI)))
def test_a_missing_column_is_named(place: int) -> None:
    header = [name for name in UCI if name != UCI[place]]
    with pytest.raises(BadOrderFile, match=f"the column {REQUIRED[place]} is missing"):
        find_columns(header, {})


def test_a_column_may_be_named_by_the_caller() -> None:
    header = [name if name != "Quantity" else "Anzahl" for name in UCI]
    named = named_columns(["quantity=Anzahl"])
    assert find_columns(header, named)["quantity"] == 3


def test_a_named_column_wins_over_a_known_spelling() -> None:
    named = named_columns(["Unit Price=Net=Price"])
    assert named == {"price": "Net=Price"}
    assert find_columns([*UCI, "Net=Price"], named)["price"] == 8


def test_a_named_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadOrderFile, match="there is no column 'Anzahl' for quantity"):
        find_columns(UCI, {"quantity": "Anzahl"})


def test_two_columns_that_could_be_the_same_are_refused() -> None:
    with pytest.raises(BadOrderFile, match="several columns could be price: 'UnitPrice', 'Price'"):
        find_columns([*UCI, "Price"], {})


@pytest.mark.parametrize("pair", ["quantity", "colour=Farbe", "=Qty"])
def test_a_pair_that_says_nothing_is_refused(pair: str) -> None:
    with pytest.raises(BadOrderFile, match="say OURS=THEIRS"):
        named_columns([pair])


def test_category_and_barcode_are_optional() -> None:
    assert find_columns([*UCI, "EAN", "Category"], {}).keys() == {*REQUIRED, "barcode", "category"}
