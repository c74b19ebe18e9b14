"""`use` as a context manager and as a decorator, with answers from a transport without network."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import httpx2
import pytest

from agentci.cassettes import use
from agentci.cassettes.handle import Cassette
from agentci.core.errors import CassetteMiss, UnplayedRecordings

URL = "https://example.test/x"


class Server:
    """Answers with a number, as a transport of httpx2."""

    def __init__(self) -> None:
        self.calls = 0

    def get(self, url: str = URL) -> int:
        with httpx2.Client(transport=httpx2.MockTransport(self._answer)) as client:
            return int(client.get(url).json()["number"])

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.calls += 1
        return httpx2.Response(200, json={"number": self.calls})


def test_a_block_records_and_replays(tmp_path: Path) -> None:
    server = Server()
    for _ in range(2):
        with use(tmp_path / "a", mode="auto"):
            assert [server.get(), server.get()] == [1, 2]
    assert server.calls == 2


def test_a_function_a_coroutine_and_generators_are_decorated(tmp_path: Path) -> None:
    server = Server()

    @use(tmp_path / "f", mode="auto")
    def function(factor: int) -> int:
        """Documented."""
        return server.get() * factor

    @use(tmp_path / "c", mode="auto")
    async def coroutine() -> int:
        return server.get()

    @use(tmp_path / "g", mode="auto")
    def generator() -> Generator[int, None, None]:
        yield server.get()

    @use(tmp_path / "ag", mode="auto")
    async def async_generator() -> AsyncGenerator[int, None]:
        yield server.get()

    async def main() -> list[int]:
        return [await coroutine(), *[each async for each in async_generator()]]

    first = [function(10), *generator(), *asyncio.run(main())]
    assert [function(10), *generator(), *asyncio.run(main())] == first
    assert server.calls == 4
    assert function.__doc__ == "Documented."
    assert inspect.iscoroutinefunction(coroutine)


def test_a_decorated_function_may_call_itself(tmp_path: Path) -> None:
    server = Server()

    @use(tmp_path / "f", mode="auto")
    def down(depth: int) -> int:
        return down(depth - 1) if depth else server.get()

    with pytest.raises(UnplayedRecordings):  # the outer call has the cassette to itself
        down(1)
    assert down(0) == server.calls == 1


def test_an_injected_cassette_is_the_first_argument(tmp_path: Path) -> None:
    @use(tmp_path / "f", mode="auto", inject_cassette=True)
    def function(cassette: Cassette, name: str) -> str:
        return f"{name} {len(cassette)}"

    assert list(inspect.signature(function).parameters) == ["name"]
    assert function("x") == "x 0"  # type: ignore[call-arg, arg-type]  # one is injected


def test_without_a_path_the_recordings_are_beside_the_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = compile("def function(): return 1", str(tmp_path / "module.py"), "exec")
    names: dict[str, object] = {}
    exec(code, names)
    function = names["function"]
    assert callable(function)
    decorated = use(function)
    assert decorated() == 1
    with pytest.raises(TypeError, match="needs a path"), use():
        pass


def test_the_failure_of_the_block_is_not_replaced_by_unplayed_recordings(tmp_path: Path) -> None:
    server = Server()
    with use(tmp_path / "a", mode="auto"):
        server.get()
    with pytest.raises(ZeroDivisionError), use(tmp_path / "a", mode="replay"):
        _ = 1 / 0


def test_a_hidden_miss_comes_out_with_what_hid_it(tmp_path: Path) -> None:
    def program() -> None:
        try:
            Server().get()
        except CassetteMiss:
            raise ValueError("it did not work") from None

    with pytest.raises(CassetteMiss) as caught, use(tmp_path / "a", mode="replay"):
        program()
    assert isinstance(caught.value.__cause__, ValueError)
    assert any("hint: record it with" in note for note in caught.value.__notes__)


def test_ci_replays_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(CassetteMiss), use(tmp_path / "a/b"):
        Server().get()


def test_a_name_is_below_the_cassettes_of_the_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "agentci.yaml").write_text("format: agentci/config\nversion: 1\n")
    monkeypatch.chdir(tmp_path)
    with use("chat", mode="auto"):
        Server().get()
    assert (tmp_path / "cassettes/chat/main.yaml").is_file()


def test_live_touches_nothing(tmp_path: Path) -> None:
    server = Server()
    with use(tmp_path / "a", mode="live"):
        assert [server.get(), server.get()] == [1, 2]
    assert not list(tmp_path.iterdir())


def test_a_last_answer_may_be_repeated(tmp_path: Path) -> None:
    server = Server()
    with use(tmp_path / "a", mode="auto"):
        server.get()
    with use(tmp_path / "a", mode="replay", allow_playback_repeats=True):
        assert [server.get() for _ in range(3)] == [1, 1, 1]
    assert server.calls == 1


def test_what_a_filter_takes_out_is_sent_and_not_kept(tmp_path: Path) -> None:
    server = Server()
    with use(tmp_path / "a", mode="auto", ignore_hosts=["example.test"]) as cassette:
        server.get()
    assert (server.calls, len(cassette)) == (1, 0)
    with use(tmp_path / "a", mode="auto", filter_query_parameters=["stamp"]):
        server.get(f"{URL}?stamp=1&page=2")
    with use(tmp_path / "a", mode="replay", filter_query_parameters=["stamp"]):
        server.get(f"{URL}?stamp=2&page=2")
    assert server.calls == 2
