"""The shop's three warehouses and the rule that gives each country to one of them.

Britain, Ireland and the islands between them buy from London; the rest of Europe from Amsterdam;
every other country, and a buyer of unknown country, from Singapore.
"""

from services.door import WarehouseRow

LONDON = WarehouseRow("LON", "London", "uk-ireland", 10)
AMSTERDAM = WarehouseRow("AMS", "Amsterdam", "europe", 20)
SINGAPORE = WarehouseRow("SIN", "Singapore", "world", 30)
WAREHOUSES = (LONDON, AMSTERDAM, SINGAPORE)

UK_IRELAND = """
britain; channel islands; eire; england; gb; great britain; guernsey; ie; ireland; isle of man;
jersey; northern ireland; republic of ireland; scotland; uk; united kingdom; wales
"""
EUROPE = """
ad; al; albania; andorra; at; austria; ba; be; belarus; belgium; bg; bosnia and herzegovina;
bulgaria; by; ch; croatia; cy; cyprus; cz; czech republic; czechia; de; denmark; dk; ee; es;
estonia; eu; european community; european union; faroe islands; fi; finland; fo; fr; france;
germany; gi; gibraltar; gr; greece; hr; hu; hungary; iceland; is; it; italy; kosovo; latvia; li;
liechtenstein; lithuania; lt; lu; luxembourg; lv; malta; mc; md; me; mk; moldova; monaco;
montenegro; mt; netherlands; nl; north macedonia; norway; pl; poland; portugal; pt; ro; romania;
rs; san marino; se; serbia; si; sk; slovakia; slovenia; sm; spain; sweden; switzerland; the
netherlands; ua; ukraine; va; vatican city
"""


def countries(names: str) -> list[str]:
    return [" ".join(name.split()) for name in names.split(";")]


WAREHOUSE_OF = {
    **dict.fromkeys(countries(EUROPE), AMSTERDAM.code),
    **dict.fromkeys(countries(UK_IRELAND), LONDON.code),
}


def warehouse_of(country: str | None) -> str:
    """The code of the warehouse that serves a country, by its English name or two-letter code."""
    return WAREHOUSE_OF.get((country or "").casefold(), SINGAPORE.code)
