"""Settings: read once, bad values named, secrets never shown."""

from pathlib import Path

import pytest

from infra.settings import TABLE, Settings, SettingsError
from infra.variables import Variable

KEY = "a-key-that-is-long-enough-for-hs256-signing"


def test_an_empty_environment_is_a_development_shop_on_the_loopback() -> None:
    settings = Settings.load({})
    assert settings.home == Path(".onhand").absolute()
    assert (settings.host, settings.port, settings.api_workers) == ("127.0.0.1", 8000, 1)
    assert settings.owners >= 2
    assert settings.database_url == settings.nats_url == settings.redis_url == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONHAND_ENV", "staging"),
        ("ONHAND_PORT", "0"),
        ("ONHAND_PORT", "65536"),
        ("ONHAND_PORT", "http"),
        ("ONHAND_PORT", "-1"),
        ("ONHAND_PORT", "٣"),
        ("ONHAND_API_WORKERS", "0"),
        ("ONHAND_OWNERS", "1.5"),
        ("ONHAND_DATABASE_URL", "mysql://localhost/onhand"),
        ("ONHAND_DATABASE_URL", "localhost"),
        ("ONHAND_DATABASE_URL", "postgres://[::1/onhand"),
        ("ONHAND_NATS_URL", "http://localhost:4222"),
        ("ONHAND_REDIS_URL", "redis:"),
        ("ONHAND_RAY_ADDRESS", "ray://head:10001"),
        ("ONHAND_RAY_ADDRESS", "head"),
        ("ONHAND_SECRET_KEY", "short"),
        ("ONHAND_LOG_LEVEL", "loud"),
        ("ONHAND_INBOX_LIMIT", "many"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        Settings.load({name: value})
    assert "\n" not in str(caught.value)


def test_a_refused_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"ONHAND_DATABASE_URL": "mysql://root:hunter2@db/onhand"})
    assert "hunter2" not in str(caught.value)


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.load({"ONHAND_PORT": " "}).port == 8000


def test_production_wants_its_own_key() -> None:
    with pytest.raises(SettingsError, match="ONHAND_SECRET_KEY"):
        Settings.load({"ONHAND_ENV": "production"})
    assert Settings.load({"ONHAND_ENV": "production", "ONHAND_SECRET_KEY": KEY}).is_production


def test_production_signs_in_over_https_only() -> None:
    given = {"ONHAND_ENV": "production", "ONHAND_SECRET_KEY": KEY}
    with pytest.raises(SettingsError, match="ONHAND_OIDC_ISSUER"):
        Settings.load({**given, "ONHAND_OIDC_ISSUER": "http://id.example"})
    assert Settings.load({**given, "ONHAND_OIDC_ISSUER": "https://id.example"}).oidc_issuer


def test_a_child_process_loads_the_same_settings() -> None:
    given = {
        "ONHAND_HOME": "/srv/onhand",
        "ONHAND_DATABASE_URL": "postgresql://onhand:word@/onhand?host=/run/onhand",
        "ONHAND_RAY_ADDRESS": "127.0.0.1:6379",
        "ONHAND_SECRET_KEY": KEY,
        "ONHAND_OWNERS": "5",
    }
    settings = Settings.load(given)
    assert Settings.load(settings.environ()) == settings


def test_what_is_shown_holds_no_secret() -> None:
    settings = Settings.load(
        {
            "ONHAND_DATABASE_URL": "postgresql://onhand:hunter2@db:5432/onhand",
            "ONHAND_REDIS_URL": "unix:///run/redis.sock?db=0&password=hunter2",
            "ONHAND_NATS_URL": "nats://hunter2@bus:4222",
            "ONHAND_SECRET_KEY": "hunter2" * 6,
            "ONHAND_OIDC_CLIENT_SECRET": "hunter2",
        }
    )
    shown = {name: value for name, value, _ in settings.shown()}
    assert "hunter2" not in str(shown)
    assert shown["ONHAND_DATABASE_URL"] == "postgresql://***@db:5432/onhand"
    assert shown["ONHAND_SECRET_KEY"] == "***"


SECRETS = [variable for variable in TABLE if variable.is_secret]
PLANT = "planted-secret-of-forty-characters-and-one"


@pytest.mark.parametrize("variable", SECRETS, ids=[variable.name for variable in SECRETS])
def test_a_planted_secret_is_seen_neither_in_what_is_shown_nor_in_the_text_of_the_settings(
    variable: Variable,
) -> None:
    schemes = {
        "database_url": "postgresql",
        "migration_url": "postgresql",
        "nats_url": "nats",
        "redis_url": "redis",
        "smtp_url": "smtp",
    }
    scheme = schemes.get(variable.field)
    value = f"{scheme}://onhand:{PLANT}@host/onhand" if scheme else PLANT
    value = value.removesuffix("/onhand") if scheme == "smtp" else value
    settings = Settings.load({variable.name: value, "ONHAND_MAIL_FROM": "stock@shop.example"})
    assert PLANT in str(settings.environ())
    assert PLANT not in f"{settings.shown()} {settings}"


FILES = {"ONHAND_TLS_KEY"}
"""Where a secret lies, which tells nothing of it."""


def test_what_is_named_like_a_secret_is_one() -> None:
    telling = ("KEY", "SECRET", "TOKEN", "CREDENTIAL")
    named = {v.name for v in TABLE if any(word in v.name for word in telling)} - FILES
    servers = {"ONHAND_DATABASE_URL", "ONHAND_MIGRATION_URL", "ONHAND_NATS_URL", "ONHAND_REDIS_URL"}
    servers.add("ONHAND_SMTP_URL")
    assert named | servers == {variable.name for variable in SECRETS}


def test_every_variable_says_what_it_means() -> None:
    assert all(variable.meaning for variable in TABLE)


@pytest.mark.parametrize(
    "good",
    ["tls://logs.example:6514", "tcp://[::1]:601", "udp://127.0.0.1", "unix:///dev/log"],
)
def test_a_syslog_is_named_by_its_transport_and_place(good: str) -> None:
    assert Settings.load({"ONHAND_LOG_SYSLOG": good}).log_syslog == good


@pytest.mark.parametrize(
    "bad",
    [
        "logs.example:6514",
        "tls://",
        "tls://logs.example:0",
        "tls://logs.example:66000",
        "tls://user@logs.example",
        "tcp://logs.example/path",
        "unix://dev/log",
        "http://logs.example",
    ],
)
def test_another_syslog_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError, match="ONHAND_LOG_SYSLOG must be"):
        Settings.load({"ONHAND_LOG_SYSLOG": bad})
