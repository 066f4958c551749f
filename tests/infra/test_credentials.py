"""Keys of a home: made once, readable by their maker alone."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.credentials import kept, secret_key
from infra.settings import Settings, SettingsError
from infra.variables import SECRET_KEY_LEAST


def test_a_key_stays_the_same_and_only_its_maker_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "a.key"
    key = kept(path)
    assert len(key) >= SECRET_KEY_LEAST
    assert kept(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_two_keys_differ(tmp_path: Path) -> None:
    assert kept(tmp_path / "a.key") != kept(tmp_path / "b.key")


def test_makers_at_the_same_time_end_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: kept(tmp_path / "a.key"), range(32)))
    assert len(keys) == 1


def test_a_given_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    given = "a-key-that-is-long-enough-for-hs256-signing"
    environ = {"ONHAND_HOME": str(tmp_path / "home"), "ONHAND_SECRET_KEY": given}
    assert secret_key(Settings.load(environ)) == given
    assert not (tmp_path / "home").exists()


def test_a_home_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(SettingsError, match="cannot be used"):
        kept(tmp_path / "home" / "a.key")
