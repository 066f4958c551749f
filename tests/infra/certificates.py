"""Certificates made for a test: an authority, and what it says of this machine."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from infra.clock import SystemClock

DAYS = timedelta(days=2)
PEM = Encoding.PEM
OPEN = NoEncryption()
PASSWORD = BestAvailableEncryption(b"a password")


class Certified(NamedTuple):
    """Files: `authority` is whom to trust, `certificate` and `key` are the server's."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def environ(self) -> dict[str, str]:
        return {
            "ONHAND_TLS_CERTIFICATE": str(self.certificate),
            "ONHAND_TLS_KEY": str(self.key),
        }


def certified(
    folder: Path,
    kind: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption = OPEN,
) -> Certified:
    """For localhost and 127.0.0.1."""
    folder.mkdir(exist_ok=True)
    files = Certified(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = named("an authority of a test")
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    above = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    authority = (
        built(issuer, issuer, root.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(above, critical=False)
        .add_extension(signs, critical=True)
    )
    server = (
        built(named("localhost"), issuer, own.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above), critical=False
        )
    )
    files.authority.write_bytes(authority.sign(root, hashes.SHA256()).public_bytes(PEM))
    files.certificate.write_bytes(server.sign(root, hashes.SHA256()).public_bytes(PEM))
    files.key.write_bytes(own.private_bytes(PEM, kind, encryption))
    return files


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def built(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = SystemClock().now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAYS)
        .not_valid_after(now + DAYS)
    )
