"""Which codes on an invoice are goods in a warehouse, and which are money, service or notes.

The tables were drawn up from every code of the UCI Online Retail files without a five-digit stem,
and from the services that hide behind one. To add a code, add a row.
"""

import re

NON_STOCK_CODES = {
    "POST": "postage",
    "DOT": "postage",  # DOTCOM POSTAGE, of the web shop
    "C2": "carriage",
    "C3": "carriage",
    "D": "discount",
    "M": "manual",
    "S": "samples",
    "B": "bad_debt",
    "BANK CHARGES": "bank_charges",
    "AMAZONFEE": "marketplace_fee",
    "CRUK": "commission",
    "PADS": "fitting_service",  # PADS TO MATCH ALL CUSHIONS, at 0.001 each
}
NON_STOCK_PATTERNS = (
    (re.compile(r"GIFT(_\d+)*"), "gift_voucher"),
    (re.compile(r"DCGS\w+"), "sister_shop"),  # numbered by Dotcomgiftshop, in no catalogue here
    (re.compile(r"TEST\d*"), "test"),
    (re.compile(r"ADJUST\d*"), "accounting"),
)
NON_STOCK_DESCRIPTIONS = {
    "dotcomgiftshop gift voucher £100.00": "gift_voucher",
    "high resolution image": "digital",
    "next day carriage": "carriage",
    "packing charge": "packing",
}
SKU_CODE = re.compile(r"[A-Z0-9][A-Z0-9 ._/+-]{1,63}")


def sku_code(code: str) -> str:
    """One SKU has one code: in the UCI data 111 of the 112 codes with small letters are also
    written with capitals, for the same thing."""
    return code.upper()


def non_stock_kind(code: str, description: str | None) -> str | None:
    """Why this is not goods; None if it is. `code` is folded by `sku_code`."""
    if not code[0].isdigit():
        if code in NON_STOCK_CODES:
            return NON_STOCK_CODES[code]
        for pattern, kind in NON_STOCK_PATTERNS:
            if pattern.fullmatch(code):
                return kind
    return NON_STOCK_DESCRIPTIONS.get((description or "").casefold())


def is_odd(code: str) -> bool:
    """Too short, too long, or with signs no shop puts into a code: a note in the wrong column."""
    return SKU_CODE.fullmatch(code) is None
