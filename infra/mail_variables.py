"""The settings of mail: where the shop hands in what it tells people."""

from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from infra.variables import Variable

SCHEMES = ("smtp", "smtps")


def server(value: str) -> str:
    parts = urlsplit(value)
    try:
        is_good = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or parts.path.strip("/") or parts.query:
        raise ValueError("smtp://user:password@host:587 or smtps://user:password@host:465")
    return value


def sender(value: str) -> str:
    """One address, perhaps with a name."""
    name, address = parseaddr(value)
    try:
        Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError):
        address = ""
    if "@" not in address or not value.isprintable():
        raise ValueError("an address like stock@shop.example, or: Onhand <stock@shop.example>")
    return value


MAIL_VARIABLES = (
    Variable(
        "ONHAND_SMTP_URL",
        "smtp_url",
        server,
        "",
        "a mail server to send codes by: smtp://user:password@host:587; empty: no codes by mail",
        is_secret=True,
    ),
    Variable(
        "ONHAND_MAIL_FROM",
        "mail_from",
        sender,
        "",
        "the address that they come from: Onhand <stock@shop.example>",
    ),
)
