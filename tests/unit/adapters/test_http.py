"""The transport against a real server on loopback."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from agentci.adapters import http as http_module
from agentci.adapters.http import HttpTransport
from agentci.core.errors import ProviderError
from agentci.core.messages import FinishReason, Message, ModelResponse, TextPart, Usage
from agentci.core.wire import HttpRequest, WireResponse
from agentci.models.retries import may_pass
from tests.support.model_server import Fault, ModelServer

T = TypeVar("T")
KEY = "sk-very-secret-0123456789"
BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'


def run(work: Callable[[HttpTransport], Awaitable[T]]) -> T:
    async def inner() -> T:
        transport = HttpTransport()
        try:
            return await work(transport)
        finally:
            await transport.close()

    return asyncio.run(inner())


def request(url: str, body: bytes = BODY, timeout: float = 5.0) -> HttpRequest:
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    return HttpRequest("POST", url, headers, body, timeout)


def chat(server: ModelServer) -> str:
    return f"{server.origin}/v1/chat/completions"


def server(*faults: Fault | None) -> ModelServer:
    text = "A longer text, so that a stream has several chunks with some of it: äöü 漢字."
    message = Message("assistant", (TextPart(text),))
    response = ModelResponse(message, FinishReason.STOP, Usage(1, 1, 0, 1), "m")
    return ModelServer(lambda _request, _number: response, faults=faults)


def test_an_answer_comes_with_status_kept_headers_and_body() -> None:
    with server() as there:
        response = run(lambda http: http.send(request(chat(there))))
        sent = there.requests[0]
    assert response.status == 200
    assert response.headers == {"content-type": "application/json"}
    assert b"chat.completion" in response.body
    assert sent.body == BODY
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["accept-encoding"] == "identity"


def test_a_stream_keeps_the_boundaries_of_its_chunks_and_shows_each_as_it_comes() -> None:
    seen: list[bytes] = []
    with server() as there:
        response = run(lambda http: http.send(request(chat(there), STREAM), on_chunk=seen.append))
    assert len(response.chunks) > 4
    assert tuple(seen) == response.chunks
    assert all(c.startswith(b"data: ") and c.endswith(b"\n\n") for c in response.chunks)


def test_an_error_status_is_an_answer_with_what_says_when_to_come_back() -> None:
    with server(Fault(status=429, headers={"retry-after": "7", "x-request-id": "r1"})) as there:
        response = run(lambda http: http.send(request(chat(there))))
    assert response.status == 429
    assert response.headers == {"content-type": "application/json", "retry-after": "7"}


def test_redirects_are_not_followed() -> None:
    with server(Fault(status=307, headers={"location": "http://127.0.0.1:9/"})) as there:
        response = run(lambda http: http.send(request(chat(there))))
    assert response.status == 307


@pytest.mark.parametrize("body", [BODY, STREAM])
@pytest.mark.parametrize("where", ["before", "middle"])
def test_a_lost_connection_is_named_and_may_pass(body: bytes, where: str) -> None:
    fault = Fault(drop="before" if where == "before" else "middle")
    with server(fault) as there, pytest.raises(ProviderError, match="was lost") as caught:
        run(lambda http: http.send(request(chat(there), body)))
    assert caught.value.code == "ACI-E131"
    assert may_pass(caught.value)


def test_no_server_is_named_and_may_pass() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1/chat/completions"
        with pytest.raises(ProviderError, match="no connection to `http://127") as caught:
            run(lambda http: http.send(request(url)))
    assert caught.value.code == "ACI-E130"
    assert may_pass(caught.value)


def test_silence_ends_at_the_timeout_and_may_pass() -> None:
    with server(Fault(delay=2.0)) as there, pytest.raises(ProviderError, match=r"0\.2 s") as caught:
        run(lambda http: http.send(request(chat(there), timeout=0.2)))
    assert caught.value.code == "ACI-E132"
    assert may_pass(caught.value)


def test_a_slow_stream_that_makes_progress_does_not_time_out() -> None:
    with server(Fault(pause=0.08)) as there:
        response = run(lambda http: http.send(request(chat(there), STREAM, timeout=0.4)))
    assert response.body.endswith(b"data: [DONE]\n\n")
    assert len(response.chunks) * 0.08 > 0.4  # longer in all than the timeout


def test_a_certificate_that_nobody_signed_is_refused_for_good(
    self_signed: tuple[str, str],
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed)
    with server() as there:
        there._http.socket = context.wrap_socket(there._http.socket, server_side=True)
        url = chat(there).replace("http:", "https:")
        with pytest.raises(ProviderError, match="certificate") as caught:
            run(lambda http: http.send(request(url)))
    assert caught.value.code == "ACI-E133"
    assert not may_pass(caught.value)


@pytest.mark.parametrize("url", ["ftp://host/x", "http://[", "nonsense", "http://host:99999/"])
def test_an_address_that_cannot_be_is_refused_for_good(url: str) -> None:
    with pytest.raises(ProviderError) as caught:
        run(lambda http: http.send(request(url)))
    assert caught.value.code == "ACI-E133"
    assert not may_pass(caught.value)


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "LARGEST_BODY", 1000)
    with server(Fault(body=b"x" * 5000)) as there, pytest.raises(ProviderError) as caught:
        run(lambda http: http.send(request(chat(there))))
    assert caught.value.code == "ACI-E133"
    assert "larger than 1000 bytes" in caught.value.message


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with server() as there:
        assert run(lambda http: http.send(request(chat(there)))).status == 200


@pytest.mark.parametrize("fault", [None, Fault(drop="before"), Fault(delay=1.0), Fault(status=500)])
def test_the_key_is_in_no_log_and_no_error(
    fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    causes: list[BaseException | None] = [None, None]
    with server(fault) as there:
        try:
            run(lambda http: http.send(request(chat(there), timeout=0.3)))
        except ProviderError as error:
            told = f"{error!r} {error} {error.hint} {error.__dict__!r}"
            causes = [error.__cause__, error.__context__]
    assert causes == [None, None]
    assert KEY not in told
    assert KEY not in caplog.text
    assert not any(KEY in repr(record.__dict__) for record in caplog.records)


def test_a_key_that_no_header_can_carry_is_not_shown() -> None:
    bad = HttpRequest("POST", "http://127.0.0.1:9/", {"authorization": f"{KEY}\u2026"}, b"", 1.0)
    with pytest.raises(ProviderError) as caught:
        run(lambda http: http.send(bad))
    assert KEY not in caught.value.message


def test_a_request_does_not_show_its_headers() -> None:
    assert KEY not in repr(request("http://127.0.0.1:9/"))


def test_many_calls_at_a_time_share_one_transport() -> None:
    async def work(http: HttpTransport) -> list[WireResponse]:
        return await asyncio.gather(*(http.send(request(chat(there))) for _ in range(50)))

    with server() as there:
        assert {response.status for response in run(work)} == {200}


def test_a_cancelled_call_leaves_the_transport_usable() -> None:
    async def work(http: HttpTransport) -> WireResponse:
        call = asyncio.create_task(http.send(request(chat(there))))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await http.send(request(chat(there)))

    with server(Fault(delay=0.5)) as there:
        assert run(work).status == 200


def test_the_client_is_not_imported_before_the_first_request() -> None:
    code = (
        "import sys; from agentci.adapters.http import HttpTransport; HttpTransport(); "
        "print([n for n in ('httpx2', 'httpcore2', 'asyncio') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("tls")
    with _openssl(str(folder)) as pair:
        yield pair


@contextmanager
def _openssl(folder: str) -> Iterator[tuple[str, str]]:
    certificate, key = f"{folder}/cert.pem", f"{folder}/key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate]
    try:
        subprocess.run([*command, *names], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    yield certificate, key
