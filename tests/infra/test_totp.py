"""One-time codes as any authenticator makes them."""

from base64 import b32encode
from uuid import UUID

import pyotp
import pytest

from infra.totp import code_of, secret_of, step_found, uri_of

KEY = "a secret that is long enough for anybody"
ANN, BOB = UUID(int=1), UUID(int=2)
RFC = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert code_of(RFC, seconds // 30) == code


def test_a_secret_is_of_one_house_one_person_and_one_enrolment() -> None:
    secret = secret_of(KEY, ANN, "n1")
    assert secret == secret_of(KEY, ANN, "n1")
    others = {secret_of(KEY, BOB, "n1"), secret_of(KEY, ANN, "n2"), secret_of("other", ANN, "n1")}
    assert len(others | {secret}) == 4


def test_an_authenticator_reads_the_uri() -> None:
    secret = secret_of(KEY, ANN, "n1")
    read = pyotp.parse_uri(uri_of(secret, "ann@shop.example"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer) == (secret, "ann@shop.example", "Onhand")


def test_a_code_is_looked_for_among_the_steps_that_are_open() -> None:
    code = code_of(RFC, 7)
    assert step_found(RFC, code, range(6, 9)) == 7
    assert step_found(RFC, code, range(8, 11)) is None
    assert step_found(RFC, "é\ud800", range(6, 9)) is None
