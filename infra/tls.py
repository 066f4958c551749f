"""TLS that the API speaks itself: whether certificate and key can be used, and whether it may be
reached without. Asked at the start, before anything listens.
"""

import ssl
from ipaddress import ip_address
from pathlib import Path

from infra.settings import Settings, SettingsError

CERTIFICATE = "ONHAND_TLS_CERTIFICATE"
KEY = "ONHAND_TLS_KEY"
LEAST = "tls1.2"
PKCS8 = b"-----BEGIN PRIVATE KEY-----"
"""The server reads keys in no other form, and none that has a password."""
CONVERT = "openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW"


def may_listen(settings: Settings) -> None:
    """Raises SettingsError where TLS is missing or cannot be spoken."""
    if settings.has_tls:
        usable(Path(settings.tls_certificate), Path(settings.tls_key))
    elif settings.is_production and not settings.trusted_proxies and not is_loopback(settings.host):
        raise SettingsError(
            f"ONHAND_HOST {settings.host} is open to other machines, and production is not without "
            f"TLS: set {CERTIFICATE} and {KEY}, or listen on 127.0.0.1, or name the proxies that "
            "end TLS before it in ONHAND_TRUSTED_PROXIES"
        )


def is_loopback(host: str) -> bool:
    """No name but one: what another stands for may change after it was asked."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def usable(certificate: Path, key: Path) -> None:
    """Both are PEM, the certificate first in its file, and the key is the certificate's."""
    content = readable(KEY, key)
    if b"-----BEGIN CERTIFICATE-----" not in readable(CERTIFICATE, certificate):
        raise SettingsError(f"{CERTIFICATE} {certificate} is no certificate in PEM")
    if PKCS8 not in content:
        raise SettingsError(
            f"{KEY} {key} is no private key in PKCS#8 (PEM) without a password: {CONVERT}"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(f"{KEY} {key} is not the key of {certificate}") from None
        raise SettingsError(
            f"{CERTIFICATE} {certificate} and {KEY} {key} cannot be used: {error}"
        ) from None


def readable(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} {path} cannot be read: {error.strerror}") from None
