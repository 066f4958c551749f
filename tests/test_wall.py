"""Unit tests stand behind a wall: no socket to anywhere, no Ray, but an event loop."""

import asyncio
import socket

import pytest
import ray


def test_a_unit_test_cannot_connect() -> None:
    with socket.socket() as outgoing, pytest.raises(RuntimeError, match="may not"):
        outgoing.connect(("127.0.0.1", 9))


def test_a_unit_test_cannot_listen() -> None:
    with socket.socket(socket.AF_UNIX) as listening, pytest.raises(RuntimeError, match="may not"):
        listening.bind("somewhere.sock")


async def test_a_unit_test_cannot_open_a_connection_on_its_loop() -> None:
    with pytest.raises(RuntimeError, match="may not"):
        await asyncio.open_connection("localhost", 9)


def test_a_unit_test_cannot_start_ray() -> None:
    with pytest.raises(RuntimeError, match="may not"):
        ray.init()


def test_a_unit_test_has_an_event_loop() -> None:
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"
