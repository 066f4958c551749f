"""What a start says of certificate and key, and of an open address without them."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from infra.settings import Settings, SettingsError
from infra.tls import may_listen
from tests.infra.certificates import PASSWORD, Certified, certified

PRODUCTION = {"ONHAND_ENV": "production", "ONHAND_SECRET_KEY": "k" * 40}
OPEN = {"ONHAND_HOST": "0.0.0.0"}


@pytest.fixture
def good(tmp_path: Path) -> Certified:
    return certified(tmp_path)


def refused(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        may_listen(Settings.load(environ))
    (line,) = str(caught.value).splitlines()
    return line


def test_a_certificate_and_its_key_are_taken_and_make_the_address_https(good: Certified) -> None:
    settings = Settings.load(good.environ)
    may_listen(settings)
    assert settings.own_url == "https://127.0.0.1:8000"
    assert Settings.load({"ONHAND_HOST": "::1"}).own_url == "http://[::1]:8000"


@pytest.mark.parametrize("missing", ["ONHAND_TLS_CERTIFICATE", "ONHAND_TLS_KEY"])
def test_one_without_the_other_is_refused(good: Certified, missing: str) -> None:
    message = "ONHAND_TLS_CERTIFICATE and ONHAND_TLS_KEY need each other"
    assert refused({**good.environ, missing: ""}) == message


@pytest.mark.parametrize("name", ["ONHAND_TLS_CERTIFICATE", "ONHAND_TLS_KEY"])
def test_a_file_that_is_not_there_or_no_file_is_named(
    good: Certified, name: str, tmp_path: Path
) -> None:
    gone = str(tmp_path / "gone.pem")
    told = refused({**good.environ, name: gone})
    assert told == f"{name} {gone} cannot be read: No such file or directory"
    told = refused({**good.environ, name: str(tmp_path)})
    assert told == f"{name} {tmp_path} cannot be read: Is a directory"


def test_files_that_are_something_else_are_named(good: Certified) -> None:
    told = refused({**good.environ, "ONHAND_TLS_CERTIFICATE": str(good.key)})
    assert told == f"ONHAND_TLS_CERTIFICATE {good.key} is no certificate in PEM"
    told = refused({**good.environ, "ONHAND_TLS_KEY": str(good.certificate)})
    assert "is no private key in PKCS#8" in told
    good.certificate.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    assert "cannot be used" in refused(good.environ)


def test_a_key_that_the_server_cannot_read_is_told_how_to_convert_it(tmp_path: Path) -> None:
    for files in (
        certified(tmp_path, PrivateFormat.TraditionalOpenSSL),
        certified(tmp_path, encryption=PASSWORD),
    ):
        assert "openssl pkcs8 -topk8 -nocrypt" in refused(files.environ)


def test_the_key_of_another_certificate_is_refused(good: Certified, tmp_path: Path) -> None:
    other = certified(tmp_path / "other")
    told = refused({**good.environ, "ONHAND_TLS_KEY": str(other.key)})
    assert told == f"ONHAND_TLS_KEY {other.key} is not the key of {good.certificate}"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_production_is_open_to_other_machines_over_tls_only(host: str, good: Certified) -> None:
    bare = {**PRODUCTION, "ONHAND_HOST": host}
    told = refused(bare)
    for said in (host, "ONHAND_TLS_CERTIFICATE", "127.0.0.1", "ONHAND_TRUSTED_PROXIES"):
        assert said in told
    may_listen(Settings.load({**bare, **good.environ}))
    may_listen(Settings.load({**bare, "ONHAND_TRUSTED_PROXIES": "10.0.0.0/8"}))


def test_a_name_is_not_believed_to_stay_on_this_machine() -> None:
    assert "ONHAND_HOST shop.example" in refused({**PRODUCTION, "ONHAND_HOST": "shop.example"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_loopback_production_needs_none(host: str) -> None:
    may_listen(Settings.load({**PRODUCTION, "ONHAND_HOST": host}))


def test_development_may_be_open_without() -> None:
    may_listen(Settings.load(OPEN))


def test_children_who_work_elsewhere_find_the_files() -> None:
    named = {"ONHAND_TLS_CERTIFICATE": "c.pem", "ONHAND_TLS_KEY": "k.pem", "ONHAND_DOCUMENTS": "d"}
    settings = Settings.load(named)
    for value in (settings.tls_certificate, settings.tls_key, settings.documents):
        assert Path(value).parent == Path.cwd()
    assert Settings.load({}).documents == ""
