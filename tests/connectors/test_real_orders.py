"""The UCI Online Retail file, where it is at hand: every one of its lines is accounted for."""

from pathlib import Path

import pytest

from connectors.order_lines import OrderFile, Tally, sold_lines
from connectors.order_rules import Dirt, LineClass
from services.orders_in import in_time_order

FILE = Path(__file__).parents[3] / "shared" / "data" / "online_retail_2010_2011.parquet"


@pytest.mark.skipif(not FILE.exists(), reason="the UCI Online Retail file is not at hand")
def test_every_line_of_the_real_file_has_its_class() -> None:
    tally = Tally()
    invoices = in_time_order(sold_lines(OrderFile(FILE), tally, lambda batch: None))
    assert tally.total == 541_909
    assert tally.classes == {
        LineClass.SALE: 527_661,
        LineClass.CANCELLATION: 8_701,
        LineClass.NON_STOCK: 3_095,
        LineClass.DIRTY: 2_452,
    }
    dirt = {reason: n for (kind, reason), n in tally.reasons.items() if kind is LineClass.DIRTY}
    assert dirt == {
        Dirt.QUANTITY_NEGATIVE: 1_324,
        Dirt.NO_SALE_NAMELESS: 584,
        Dirt.NO_SALE_NAMED: 544,
    }
    assert sum(invoice.lines for invoice in invoices) == 527_661 + 8_701
    assert all(not (invoice.wants and invoice.returns) for invoice in invoices)
