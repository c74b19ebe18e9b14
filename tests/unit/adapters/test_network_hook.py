"""What the hook lets through. That it really closes is shown end to end."""

from __future__ import annotations

import socket
import threading

import pytest

from agentci.adapters import network_hook
from agentci.adapters.network_hook import NetworkBlocked

FAR = ("192.0.2.1", 9)


def _send(address: tuple[str, int]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x" * 70_000, address)  # too long to go anywhere


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "0.0.0.0"])
def test_this_machine_is_open(host: str) -> None:
    undo = network_hook.close(())
    try:
        with pytest.raises(OSError, match="long"):
            _send((host, 9))
    finally:
        undo()


@pytest.mark.parametrize("pattern", ["192.0.2.1", r"192\.0\.2\..*"])
def test_an_allowed_host_is_open_and_another_is_not(pattern: str) -> None:
    undo = network_hook.close((pattern,))
    try:
        with pytest.raises(OSError, match="long"):
            _send(FAR)
        with pytest.raises(NetworkBlocked, match=r"198\.51\.100\.1:9"):
            _send(("198.51.100.1", 9))
    finally:
        undo()
        network_hook._state.resolved.clear()


def test_it_is_open_before_and_afterwards_and_while_it_is_suspended() -> None:
    undo = network_hook.close(())
    resume = network_hook.suspend()
    with pytest.raises(OSError, match="long"):
        _send(FAR)
    resume()
    with pytest.raises(NetworkBlocked):
        _send(FAR)
    undo()
    undo()  # once is enough
    with pytest.raises(OSError, match="long"):
        _send(FAR)


def test_two_may_close_it_and_the_second_still_holds() -> None:
    first, second = network_hook.close(()), network_hook.close(("a.test",))
    first()
    try:
        with pytest.raises(NetworkBlocked):
            socket.getaddrinfo("b.test", 80)
    finally:
        second()


def test_a_thread_that_runs_already_is_held_too() -> None:
    go, found = threading.Event(), list[BaseException]()

    def work() -> None:
        go.wait()
        try:
            _send(FAR)
        except (NetworkBlocked, OSError) as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    undo = network_hook.close(())
    go.set()
    thread.join()
    undo()
    assert isinstance(found[0], NetworkBlocked)
