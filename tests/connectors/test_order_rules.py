"""Each order line falls into exactly one class, for one reason."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.order_codes import NON_STOCK_CODES
from connectors.order_lines import DATE_FORMAT
from connectors.order_rules import EXPLANATIONS, Dirt, LineClass, Row, Verdict, classify
from services.orders_in import OrderLine

AT = datetime(2010, 12, 1, 8, 26)
GOOD = Row(
    1, "536365", "85123A", "WHITE HEART", 6, AT, 2.55, 17850, "United Kingdom", None, None, None
)


def judged(**values: Any) -> Verdict:
    return classify(GOOD._replace(**values), DATE_FORMAT)


def test_a_sale_becomes_a_line() -> None:
    line = OrderLine(
        "536365", "85123A", "WHITE HEART", 6, AT.replace(tzinfo=UTC), 255, "17850", "LON"
    )
    assert judged() == Verdict(LineClass.SALE, "", line)


def test_a_cancellation_comes_back() -> None:
    verdict = judged(invoice="C536379", quantity=-6)
    assert verdict.line_class is LineClass.CANCELLATION
    assert verdict.line is not None
    assert (verdict.line.quantity, verdict.line.comes_back) == (6, True)


@pytest.mark.parametrize(
    ("values", "dirt"),
    [
        ({"invoice": None}, Dirt.INVOICE_MISSING),
        ({"invoice": "  "}, Dirt.INVOICE_MISSING),
        ({"code": None}, Dirt.CODE_MISSING),
        ({"code": "NaN"}, Dirt.CODE_MISSING),
        ({"code": "?"}, Dirt.CODE_ODD),
        ({"code": "Q"}, Dirt.CODE_ODD),
        ({"code": "8512\n3A"}, Dirt.CODE_ODD),
        ({"code": "1" * 65}, Dirt.CODE_ODD),
        ({"quantity": None}, Dirt.QUANTITY_MISSING),
        ({"quantity": float("nan")}, Dirt.QUANTITY_MISSING),
        ({"quantity": "six"}, Dirt.QUANTITY_UNREADABLE),
        ({"quantity": 1.5}, Dirt.QUANTITY_UNREADABLE),
        ({"quantity": "inf"}, Dirt.QUANTITY_UNREADABLE),
        ({"quantity": "0"}, Dirt.QUANTITY_ZERO),
        ({"quantity": 10**10}, Dirt.QUANTITY_HUGE),
        ({"at": None}, Dirt.DATE_MISSING),
        ({"at": "yesterday"}, Dirt.DATE_UNREADABLE),
        ({"invoice": "A563185"}, Dirt.INVOICE_ADJUSTMENT),
        ({"invoice": "C536379"}, Dirt.CANCELLATION_POSITIVE),
        ({"quantity": -6}, Dirt.QUANTITY_NEGATIVE),
        ({"price": "free"}, Dirt.PRICE_UNREADABLE),
        ({"price": float("inf")}, Dirt.PRICE_UNREADABLE),
        ({"price": -0.01}, Dirt.PRICE_NEGATIVE),
        ({"price": 0.0, "customer": None}, Dirt.NO_SALE_NAMED),
        ({"price": None, "customer": None}, Dirt.NO_SALE_NAMED),
        ({"price": 0.0, "customer": None, "description": None}, Dirt.NO_SALE_NAMELESS),
    ],
)
def test_a_dirty_line_has_its_reason(values: dict[str, Any], dirt: Dirt) -> None:
    assert judged(**values) == Verdict(LineClass.DIRTY, dirt)


def test_every_reason_is_explained() -> None:
    assert EXPLANATIONS.keys() == set(Dirt)


@pytest.mark.parametrize(
    ("code", "description", "kind"),
    [
        ("POST", "POSTAGE", "postage"),
        ("DOT", "DOTCOM POSTAGE", "postage"),
        ("m", "Manual", "manual"),
        ("D", "Discount", "discount"),
        ("S", "SAMPLES", "samples"),
        ("C2", "CARRIAGE", "carriage"),
        ("Bank Charges", "Bank Charges", "bank_charges"),
        ("gift_0001_20", "Dotcomgiftshop Gift Voucher £20.00", "gift_voucher"),
        ("DCGSSBOY", "BOYS PARTY BAG", "sister_shop"),
        ("DCGS0066P", None, "sister_shop"),
        ("TEST001", "This is a test product.", "test"),
        ("ADJUST2", "Adjustment by Peter", "accounting"),
        ("23444", "Next Day Carriage", "carriage"),
    ],
)
def test_money_and_service_are_no_stock(code: str, description: str | None, kind: str) -> None:
    assert judged(code=code, description=description) == Verdict(LineClass.NON_STOCK, kind)


@pytest.mark.parametrize("quantity", [-1, 0, None, 1])
def test_what_is_no_stock_is_none_in_any_quantity(quantity: int | None) -> None:
    assert judged(code="POST", quantity=quantity).line_class is LineClass.NON_STOCK


@pytest.mark.parametrize("code", ["POSTER-01", "TESTTUBE", "M1", "DOTTED", "GIFTBOX"])
def test_goods_that_only_begin_like_a_service_are_goods(code: str) -> None:
    assert judged(code=code).line_class is LineClass.SALE


@pytest.mark.parametrize("code", ["85123a", " 85123A ", "85123A"])
def test_a_code_is_one_however_it_is_written(code: str) -> None:
    line = judged(code=code).line
    assert line is not None
    assert line.sku == "85123A"


@pytest.mark.parametrize(
    ("values", "field", "read"),
    [
        ({"code": 85123.0}, "sku", "85123"),
        ({"invoice": 536365}, "invoice", "536365"),
        ({"customer": 17850.0}, "customer", "17850"),
        ({"customer": float("nan")}, "customer", None),
        ({"customer": "NULL"}, "customer", None),
        ({"quantity": "6.0"}, "quantity", 6),
        ({"price": "2.555"}, "price_cents", 256),
        ({"price": 0.001}, "price_cents", 0),
        ({"price": None}, "price_cents", None),
        ({"price": 0.0}, "price_cents", 0),
        ({"description": None}, "name", None),
        ({"country": None}, "warehouse", "SIN"),
    ],
)
def test_values_are_read_whatever_their_type(
    values: dict[str, Any], field: str, read: object
) -> None:
    assert getattr(judged(**values).line, field) == read


@pytest.mark.parametrize(
    "at",
    [
        "2010-12-01 08:26:00",
        "2010-12-01T08:26",
        "12/1/2010 8:26",
        AT,
        AT.replace(tzinfo=UTC),
        "2010-12-01T09:26+01:00",
        AT.replace(hour=9, tzinfo=timezone(timedelta(hours=1))),
    ],
)
def test_dates_are_read_as_utc(at: str | datetime) -> None:
    line = judged(at=at).line
    assert line is not None
    assert line.at == AT.replace(tzinfo=UTC)


def test_a_date_without_a_time_is_its_midnight() -> None:
    line = judged(at=date(2010, 12, 1)).line
    assert line is not None
    assert line.at == datetime(2010, 12, 1, tzinfo=UTC)


def test_another_way_to_write_dates_may_be_named() -> None:
    verdict = classify(GOOD._replace(at="01.12.2010 08:26"), "%d.%m.%Y %H:%M")
    assert verdict.line_class is LineClass.SALE


values = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(-(2**40), 2**40),
    st.floats(),
    st.sampled_from(["C12", "A12", "12", "POST", "85123A", "United Kingdom", *NON_STOCK_CODES]),
    st.datetimes(),
)


@given(st.lists(values, min_size=10, max_size=10))
def test_any_line_has_one_class_and_only_certain_ones_become_lines(raw: list[Any]) -> None:
    verdict = classify(Row(1, *raw), DATE_FORMAT)
    certain = verdict.line_class in (LineClass.SALE, LineClass.CANCELLATION)
    assert certain == (verdict.line is not None)
    assert certain == (verdict.reason == "")
    if verdict.line is not None:
        assert verdict.line.quantity > 0
        assert verdict.line.comes_back == (verdict.line_class is LineClass.CANCELLATION)
