"""Refusing connections in a Python process, by an audit hook that no code can take out again.

Also loaded by itself, from its file, in Python programs that a process with a closed network
starts; so it imports nothing but the standard library, and nothing of agentci.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
_ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_NAMED = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


class NetworkBlocked(RuntimeError):
    """A connection was refused, because the network is closed."""


@dataclass(slots=True)
class _State:
    """Whether the network of this process is closed; one for the process, like the hook."""

    closed: list[tuple[str, ...]] = field(default_factory=list)
    """Allowed hosts of each who has closed it."""
    suspended: int = 0
    is_hooked: bool = False
    resolved: set[str] = field(default_factory=set)
    lock: Any = field(default_factory=threading.RLock)
    resolving: Any = field(default_factory=threading.local)


_state = _State()


def close(allowed: tuple[str, ...]) -> Callable[[], None]:
    """Refuse connections from now on, except to this machine and to `allowed`; return the undoing.

    `allowed` are host names, addresses, or regular expressions for them.
    """
    with _state.lock:
        if not _state.is_hooked:
            sys.addaudithook(_hook)
            _state.is_hooked = True
        _state.closed.append(allowed)

    def undo() -> None:
        with _state.lock:
            if allowed in _state.closed:
                _state.closed.remove(allowed)

    return undo


def suspend() -> Callable[[], None]:
    """Let connections through again, until the returned function is called."""
    with _state.lock:
        _state.suspended += 1

    def undo() -> None:
        with _state.lock:
            _state.suspended -= 1

    return undo


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket.") or not _state.closed or _state.suspended:
        return
    if event in _ADDRESSED:
        connection, address = arguments[:2]
        if connection.family in _INTERNET and isinstance(address, tuple):
            _check(str(address[0]), f"{address[0]}:{address[1]}")
    elif event in _NAMED and not getattr(_state.resolving, "active", False):
        host = arguments[0]
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if isinstance(host, str) and host:
            _check(host, host)


def _check(host: str, shown: str) -> None:
    if _is_here(host) or host in _state.resolved:
        return
    if any(_allows(host, pattern) for allowed in _state.closed for pattern in allowed):
        _resolve(host)
        return
    message = f"agentci: the network is closed, so there is no connection to `{shown}`"
    raise NetworkBlocked(message)


def _is_here(host: str) -> bool:
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or address.is_unspecified


def _allows(host: str, pattern: str) -> bool:
    try:
        return host.lower() == pattern.lower() or re.fullmatch(pattern, host) is not None
    except re.error:
        return False


def _resolve(host: str) -> None:
    """Note the addresses of an allowed host: a connection names no host any more."""
    _state.resolving.active = True
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return  # the caller finds out by itself
    finally:
        _state.resolving.active = False
    _state.resolved.update(str(each[4][0]) for each in found)
