"""The settings of an API that stands on the open internet: who may ask, through which proxies and
how, which documents, and who is told the log."""

import os
from ipaddress import ip_network
from urllib.parse import urlsplit

from infra.syslog import address
from infra.variables import Variable, one_of


def origins(value: str) -> str:
    """Kept as text, that a child process may read it again."""
    for one in listed(value):
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or one != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("origins like https://shop.example, separated by commas")
    return value


def networks(value: str) -> str:
    for one in listed(value):
        try:
            ip_network(one)
        except ValueError:
            raise ValueError("networks like 10.0.0.0/8, separated by commas") from None
    return value


def file(value: str) -> str:
    """Children work in other folders. Kept as text: "" where there is none."""
    return os.path.abspath(os.path.expanduser(value))


def listed(value: str) -> list[str]:
    return [one.strip() for one in value.split(",") if one.strip()]


INTERNET_VARIABLES = (
    Variable(
        "ONHAND_TLS_CERTIFICATE",
        "tls_certificate",
        file,
        "",
        "a PEM file: the certificate of the API and those that vouch for it; empty: no TLS",
    ),
    Variable("ONHAND_TLS_KEY", "tls_key", file, "", "a PEM file: its private key, as PKCS#8"),
    Variable(
        "ONHAND_LOG_SYSLOG",
        "log_syslog",
        address,
        "",
        "a syslog that is also told all lines of the log: tls://logs.shop.example:6514",
    ),
    Variable(
        "ONHAND_ALLOWED_ORIGINS",
        "allowed_origins",
        origins,
        "",
        "origins of pages on other hosts that may ask, separated by commas: https://shop.example",
    ),
    Variable(
        "ONHAND_TRUSTED_PROXIES",
        "trusted_proxies",
        networks,
        "",
        "networks of proxies whose X-Forwarded-For is believed, separated by commas: 10.0.0.0/8",
    ),
    Variable(
        "ONHAND_DOCUMENTS",
        "documents",
        file,
        "",
        "a JSON file of known documents by SHA-256, which clients may name instead of sending them",
    ),
    Variable(
        "ONHAND_DOCUMENTS_ONLY",
        "documents_only",
        one_of("on", "off"),
        "off",
        "on: no other documents are taken",
    ),
)
