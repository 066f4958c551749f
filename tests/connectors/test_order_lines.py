"""Reading CSV and parquet, and accounting for every line."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import order_lines
from connectors.order_columns import BadOrderFile
from connectors.order_lines import Judged, OrderFile, Tally, digest, judged_batches, sold_lines
from connectors.order_report import HEADER, open_report
from connectors.order_rules import Dirt, LineClass
from services.imports import RefusedRow
from services.orders_in import OrderLine

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SALE = "536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
Written = Callable[..., OrderFile]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str | bytes, encoding: str = "utf-8") -> OrderFile:
        path = tmp_path / "orders.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return OrderFile(path, encoding=encoding)

    return write


def judged(source: OrderFile) -> list[Judged]:
    return [line for batch in judged_batches(source) for line in batch.lines]


def lines(source: OrderFile, tally: Tally | None = None) -> list[OrderLine]:
    return list(sold_lines(source, tally or Tally(), lambda batch: None))


def test_a_csv_is_read(written: Written) -> None:
    (line,) = lines(written(HEAD + SALE))
    assert (line.sku, line.quantity, line.price_cents, line.customer) == ("85123A", 6, 255, "17850")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_seen(written: Written, delimiter: str) -> None:
    assert len(lines(written((HEAD + SALE).replace(",", delimiter)))) == 1


def test_a_byte_order_mark_is_no_part_of_the_header(written: Written) -> None:
    assert len(lines(written("\ufeff" + HEAD + SALE))) == 1


def test_quotes_may_hold_delimiters_quotes_and_ends_of_lines(written: Written) -> None:
    quoted = SALE.replace("WHITE HEART", '"SET OF 3, ""LOVE""\nBOXES"')
    (line,) = lines(written(HEAD + quoted))
    assert line.name == 'SET OF 3, "LOVE"\nBOXES'


def test_windows_line_ends_and_blank_lines_do_no_harm(written: Written) -> None:
    assert len(lines(written((HEAD + SALE + "\n" + SALE).replace("\n", "\r\n")))) == 2


def test_another_encoding_may_be_named(written: Written) -> None:
    (line,) = lines(written(HEAD + SALE.replace("HEART", "£5"), "latin-1"))
    assert line.name == "WHITE £5"


def test_a_wrong_encoding_is_refused(written: Written) -> None:
    source = written((HEAD + SALE.replace("HEART", "£5")).encode("latin-1"))
    with pytest.raises(BadOrderFile, match="name its encoding with --encoding"):
        lines(source)


def test_an_unknown_encoding_is_refused(written: Written) -> None:
    source = written(HEAD + SALE)
    with pytest.raises(BadOrderFile, match="--encoding klingon"):
        lines(OrderFile(source.path, encoding="klingon"))


@pytest.mark.parametrize("text", ["", HEAD.replace("Quantity", "Menge") + SALE])
def test_a_file_without_our_columns_is_refused(written: Written, text: str) -> None:
    with pytest.raises(BadOrderFile, match=r"the column (invoice|quantity) is missing"):
        lines(written(text))


def test_a_file_with_a_header_alone_has_no_lines(written: Written) -> None:
    tally = Tally()
    assert lines(written(HEAD), tally) == []
    assert tally.total == 0


def test_a_value_of_a_wrong_type_spoils_its_own_line_alone(written: Written) -> None:
    tally = Tally()
    bad = SALE.replace(",6,", ",six,")
    assert len(lines(written(HEAD + SALE + bad + SALE), tally)) == 2
    assert tally.reasons == {(LineClass.DIRTY, Dirt.QUANTITY_UNREADABLE): 1}


def test_rows_of_a_wrong_length_are_kept_with_their_number_and_text(written: Written) -> None:
    source = written(HEAD + SALE + "536366,22633\n" + SALE + SALE.strip() + ",more\n" + SALE)
    found = judged(source)
    assert sorted(line.row.number for line in found) == [1, 2, 3, 4, 5]
    malformed = [line for line in found if line.verdict.reason == Dirt.ROW_MALFORMED]
    assert [(line.row.number, line.row.note) for line in malformed] == [
        (2, "536366,22633"),
        (4, SALE.strip() + ",more"),
    ]


def test_a_file_of_malformed_rows_alone_is_counted(written: Written) -> None:
    tally = Tally()
    assert lines(written(HEAD + "1\n2\n"), tally) == []
    assert tally.classes == {LineClass.DIRTY: 2}


def test_a_file_of_several_blocks_keeps_its_numbers(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_lines, "CSV_BLOCK_BYTES", 1_000)
    text = HEAD + "".join(SALE if number % 7 else "short\n" for number in range(1, 200))
    found = {line.row.number: line.verdict.reason for line in judged(written(text))}
    assert found == {n: "" if n % 7 else Dirt.ROW_MALFORMED for n in range(1, 200)}


def test_a_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    columns = {
        "Invoice": pyarrow.array([536365, 536366]),
        "StockCode": pyarrow.array([85123, None]),
        "Description": pyarrow.array(["WHITE HEART", None]).dictionary_encode(),
        "Quantity": pyarrow.array([6.0, 1.0]),
        "InvoiceDate": pyarrow.array([datetime(2010, 12, 1, 8, 26)] * 2, pyarrow.timestamp("ns")),
        "Price": pyarrow.array([2.55, 1.0], pyarrow.float32()),
        "Customer ID": pyarrow.array([17850.0, None]),
        "Country": pyarrow.array(["France", "France"]),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    tally = Tally()
    (line,) = lines(OrderFile(path), tally)
    assert (line.invoice, line.sku, line.quantity, line.price_cents) == ("536365", "85123", 6, 255)
    assert (line.customer, line.warehouse) == ("17850", "AMS")
    assert tally.reasons == {(LineClass.DIRTY, Dirt.CODE_MISSING): 1}


def test_a_broken_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(BadOrderFile, match=r"orders\.parquet cannot be read"):
        lines(OrderFile(path))


def test_the_share_read_grows_to_the_whole(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_lines, "CSV_BLOCK_BYTES", 1_000)
    shares = [batch.read for batch in judged_batches(written(HEAD + SALE * 200))]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_content_has_one_digest_whatever_its_name(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(text)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_the_report_lists_every_line_that_was_left_out(written: Written, tmp_path: Path) -> None:
    dirty = SALE.replace("85123A", "=1+1")
    postage = SALE.replace("85123A", "POST")
    source = written(HEAD + SALE + dirty + postage + "short\n" + SALE)
    path = tmp_path / "new" / "report.csv"
    with open_report(path) as report:
        for batch in judged_batches(source):
            report.lines(batch.lines)
        report.refusals([RefusedRow("SKU A", "INVALID", "too odd")])
    head, *rows = csv.reader(io.StringIO(path.read_text()))
    assert tuple(head) == HEADER
    assert [row[:3] for row in rows] == [
        ["2", "dirty", "code_odd"],
        ["3", "non_stock", "postage"],
        ["4", "dirty", "row_malformed"],
        ["", "refused", "INVALID"],
    ]
    assert rows[0][5] == "'=1+1"
    assert rows[2][3].endswith(": short")
    assert rows[3][3] == "SKU A: too odd"


field = st.sampled_from(["", "536365", "C536379", "A1", "85123A", "POST", "-6", "6", "x", "2.5"])
row = st.lists(field, min_size=1, max_size=10)


@given(st.lists(row, max_size=30))
def test_the_classes_add_up_to_the_lines_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    rows = [row for row in rows if row != [""]]
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(HEAD + "".join(",".join(row) + "\n" for row in rows))
    tally = Tally()
    certain = lines(OrderFile(path), tally)
    assert tally.total == len(rows)
    assert tally.classes[LineClass.SALE] + tally.classes[LineClass.CANCELLATION] == len(certain)
    left_out = tally.classes[LineClass.DIRTY] + tally.classes[LineClass.NON_STOCK]
    assert tally.reasons.total() == left_out
