"""Where servers live: sockets the kernel accepts, logs that end, one supervisor at a time."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.places import (
    LOG_BYTES_LIMIT,
    LONGEST_SOCKET,
    SOCKET_PATH_LIMIT,
    close_what_is_there,
    leave,
    lock,
    prepare,
    short_folder,
)
from infra.settings import SettingsError


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_the_sockets_of_a_short_home_lie_in_it(temporary: Path) -> None:
    home = temporary / "home"
    assert prepare(home).sockets == home / "run"


@pytest.mark.parametrize("name", ["x" * 120, "a shop, the second", "Läden"])
def test_the_sockets_of_any_home_have_names_everybody_accepts(temporary: Path, name: str) -> None:
    sockets = prepare(temporary / name).sockets
    assert len(os.fsencode(str(sockets) + LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT
    assert sockets == prepare(temporary / name).sockets
    assert not set(str(sockets)) & set(" ,ä")


def test_a_log_that_is_written_to_is_cut_and_goes_on(temporary: Path) -> None:
    places = prepare(temporary / "home")
    path = places.log("api")
    with path.open("ab", buffering=0) as writer, places.log("short").open("ab") as other:
        other.write(b"short")
        for turn in (b"1", b"2"):
            writer.write(turn * LOG_BYTES_LIMIT)
            places.cut_logs()
            assert path.stat().st_size == LOG_BYTES_LIMIT
            writer.write(b"\n")
            places.cut_logs()
            assert path.read_bytes() == b""
            assert path.with_suffix(".old.log").read_bytes() == turn * LOG_BYTES_LIMIT + b"\n"
        writer.write(b"goes on")
    assert path.read_bytes() == b"goes on"
    logs = {one.name for one in path.parent.iterdir()}
    assert logs == {"api.log", "api.old.log", "short.log"}


def test_two_homes_share_no_folder(temporary: Path) -> None:
    homes = [temporary / "a", temporary / "b"]
    assert short_folder(homes[0], "run") != short_folder(homes[1], "run")
    assert short_folder(homes[0], "run") != short_folder(homes[0], "ray")


def test_a_short_folder_somebody_else_can_write_is_refused(temporary: Path) -> None:
    short_folder(temporary / "home", "run").chmod(0o777)
    with pytest.raises(SettingsError, match="belongs to somebody else"):
        short_folder(temporary / "home", "run")


def test_what_lay_outside_of_a_home_is_taken_away_again(temporary: Path) -> None:
    home = temporary / ("x" * 120)
    prepare(home).socket_folder("redis")
    leave(home)
    leave(home)
    assert list(temporary.iterdir()) == [home]


def test_a_home_below_a_file_is_refused_in_one_line(temporary: Path) -> None:
    (temporary / "file").write_text("")
    with pytest.raises(SettingsError, match="ONHAND_HOME") as caught:
        prepare(temporary / "file" / "home")
    assert "\n" not in str(caught.value)


def test_a_home_is_served_once_at_a_time(temporary: Path) -> None:
    home = prepare(temporary / "home").home
    held = lock(home)
    with pytest.raises(SettingsError, match=f"already served by process {os.getpid()}"):
        lock(home)
    held.close()
    lock(home).close()


def test_a_home_of_a_time_when_files_were_open_is_closed_and_what_is_not_ours_stays(
    temporary: Path,
) -> None:
    places = prepare(temporary / "home")
    for name in ("logs", "relay", "letters"):
        (places.home / name).mkdir(mode=0o711)
    ours = [places.log("nats"), places.home / "relay" / "deep.txt", places.home / "lock"]
    theirs = [places.home / "letters" / "a.txt", places.home / "notes.txt"]
    for path in (*ours, *theirs):
        path.write_text("")
        path.chmod(0o644)
    (places.home / "relay" / "link").symlink_to(theirs[0])
    close_what_is_there(places.home)
    places.data("relay")
    assert {stat.S_IMODE(path.stat().st_mode) for path in ours} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in theirs} == {0o644}
    assert stat.S_IMODE((places.home / "relay").stat().st_mode) == 0o700


def test_a_long_log_is_put_aside(temporary: Path) -> None:
    places = prepare(temporary / "home")
    log = places.log("nats")
    with log.open("wb") as file:
        file.truncate(LOG_BYTES_LIMIT + 1)
    assert places.log("nats") == log
    assert not log.exists()
    assert log.with_suffix(".old.log").exists()
