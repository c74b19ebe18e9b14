"""The pytest plugin, in suites that pytest runs in a process of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.echo_server import EchoServer
from tests.support.pytest_suite import run_suite

SUITE = """
import asyncio, unittest
import httpx2, pytest, requests
import agentci.cassettes

URL = "{url}"

@pytest.fixture
def token():
    return requests.get(URL + "/token").json()["number"]

@pytest.mark.agentci
def test_marked(token):
    assert httpx2.post(URL, json={{"token": token}}).json()["number"] > token

@pytest.mark.agentci
@pytest.mark.parametrize("text", ["a/b", "A b", "Ü"])
def test_each(text):
    assert requests.get(URL + "/each", params={{"q": text}}).status_code == 200

@pytest.mark.agentci("own/place", mode=None)
class TestClass:
    def test_method(self):
        assert requests.get(URL + "/method").ok

def test_fixture(agentci_cassette):
    requests.get(URL + "/fixture")
    assert len(agentci_cassette) == 1

@pytest.mark.agentci
class TestCase(unittest.TestCase):
    def test_case(self):
        assert requests.get(URL + "/case").ok

@agentci.cassettes.use(mode="auto")
def test_decorated():
    assert requests.get(URL + "/decorated").ok

@agentci.cassettes.use(mode="auto")
async def ask():
    async with httpx2.AsyncClient() as client:
        return (await client.get(URL + "/ask")).json()

def test_decorated_coroutine():
    assert asyncio.run(ask())["number"]

def test_plain():
    assert True
"""


def _suite(folder: Path, text: str) -> Path:
    (folder / "test_suite.py").write_text(text)
    return folder


def test_a_suite_records_once_and_replays_without_the_server(tmp_path: Path) -> None:
    with EchoServer() as server:
        _suite(tmp_path, SUITE.format(url=server.url))
        recorded = run_suite(tmp_path, "-W", "error", "--agentci-record")
        assert recorded.counts == {"passed": 10}, recorded.text
        seen = len(server.seen)
    assert seen == 10
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")}
    assert (tmp_path / "own/place/main.yaml") in before
    replayed = run_suite(tmp_path, "-W", "error", "--agentci-block-network")
    assert replayed.counts == {"passed": 10}, replayed.text
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")} == before


def test_what_differs_is_explained_and_how_to_record_it(tmp_path: Path) -> None:
    text = """
import pytest, requests
URL = "{url}"

@pytest.mark.agentci
def test_changed():
    requests.post(URL, json={{"prompt": "be {word} with it"}})

@pytest.mark.agentci
def test_hidden():
    try:
        requests.post(URL, json={{"prompt": "{word}"}})
    except Exception:
        pass

@pytest.mark.agentci
def test_unplayed():
    if "{word}" == "kind":
        requests.get(URL)

@pytest.mark.agentci(unplayed="ignore")
def test_allowed():
    if "{word}" == "kind":
        requests.get(URL)

@pytest.mark.agentci
def test_fails_by_itself():
    if "{word}" == "kind":
        requests.get(URL)
    assert "{word}" == "kind"
"""
    with EchoServer() as server:
        _suite(tmp_path, text.format(url=server.url, word="kind"))
        assert run_suite(tmp_path, "--agentci-mode=auto").counts == {"passed": 5}
    _suite(tmp_path, text.format(url=server.url, word="strict"))
    done = run_suite(tmp_path)
    assert done.code == 1
    assert done.counts == {"failed": 3, "passed": 2, "error": 1}, done.text
    assert "be [-kind-]{+strict+} with it" in done.text
    assert "pytest --agentci-record 'test_suite.py::test_changed'" in done.text
    assert "ACI-R126: 1 recording was not played" in done.text


def test_replay_is_the_default_and_never_goes_out(tmp_path: Path) -> None:
    with EchoServer() as server:
        _suite(tmp_path, SUITE.format(url=server.url))
        done = run_suite(tmp_path, "-k", "marked or each or fixture", env={"CI": "true"})
        assert done.counts["failed"] + done.counts["error"] == 5, done.text
        assert server.seen == []
    assert not list(tmp_path.rglob("*.yaml"))


def test_a_suite_without_cassettes_does_not_notice_the_plugin(tmp_path: Path) -> None:
    _suite(
        tmp_path,
        "import sys\n"
        "def test_nothing_is_loaded(request):\n"
        "    loaded = {name for name in sys.modules if name.startswith('agentci')}\n"
        "    own = {'agentci.pytest_plugin', 'agentci.pytest_plugin.plugin'}\n"
        "    assert loaded == {'agentci', *own}\n"
        "    assert not {'vcr', 'asyncio', 'pydantic', 'yaml', 'ssl'} & set(sys.modules)\n"
        "    assert request.fixturenames == ['request']\n",
    )
    with_plugin = run_suite(tmp_path, "--setup-show", "--strict-markers", "-W", "error")
    without = run_suite(tmp_path, "--setup-show", "--strict-markers", plugin=False)
    assert with_plugin.counts == {"passed": 1}, with_plugin.text
    assert "SETUP" not in with_plugin.text
    assert without.counts == {"failed": 1}  # only because the plugin itself is not there


NETWORK = """
import asyncio, socket, subprocess, sys, threading
import pytest

FAR = "{far}"

def refused(call):
    with pytest.raises(RuntimeError, match="network is closed"):
        call()

def test_connections_are_refused():
    refused(lambda: socket.create_connection((FAR, 80), timeout=0.2))
    refused(lambda: socket.socket().connect_ex((FAR, 80)))
    refused(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (FAR, 53)))
    refused(lambda: socket.getaddrinfo("example.org", 80))

def test_code_that_was_imported_before_has_no_way_around():
    import _socket
    refused(lambda: _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM).connect((FAR, 80)))

def test_threads_too():
    found = []
    def work():
        try:
            socket.create_connection((FAR, 80), timeout=0.2)
        except RuntimeError as error:
            found.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found

def test_tasks_too():
    refused(lambda: asyncio.run(asyncio.open_connection(FAR, 80)))

def test_python_children_too():
    code = "import socket; socket.create_connection(('" + FAR + "', 80), timeout=0.2)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "network is closed" in done.stderr

def test_this_machine_is_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
"""


def test_the_network_is_closed_for_threads_tasks_and_python_children(tmp_path: Path) -> None:
    _suite(tmp_path, NETWORK.format(far="192.0.2.1"))
    done = run_suite(tmp_path, "--agentci-block-network")
    assert done.counts == {"passed": 6}, done.text


def test_a_host_can_be_let_through(tmp_path: Path) -> None:
    _suite(
        tmp_path,
        "import socket, pytest\n"
        "def test_it():\n"
        "    with pytest.raises(OSError):\n"
        "        socket.socket(type=socket.SOCK_DGRAM).sendto(b'x' * 70000, ('192.0.2.1', 9))\n"
        "    with pytest.raises(RuntimeError):\n"
        "        socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.2', 9))\n",
    )
    done = run_suite(tmp_path, "--agentci-block-network", "--agentci-allow-host", "192.0.2.1")
    assert done.counts == {"passed": 1}, done.text


def test_a_network_of_its_own_holds_for_every_program(tmp_path: Path) -> None:
    _suite(
        tmp_path,
        "import subprocess, os\n"
        "def test_no_interface_but_loopback():\n"
        "    lines = open('/proc/net/dev').read().splitlines()[2:]\n"
        "    names = [line.split(':')[0].strip() for line in lines]\n"
        "    assert [name for name in names if name == 'lo'] == ['lo']\n"
        "    routes = subprocess.run(['cat', '/proc/self/net/route'], capture_output=True)\n"
        "    assert len(routes.stdout.splitlines()) == 1\n"
        f"    assert os.getuid() == {os.getuid()}\n"
        "def test_loopback_is_up():\n"
        "    import socket\n"
        "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "        socket.create_connection(server.getsockname()).close()\n",
    )
    done = run_suite(tmp_path, "--agentci-isolate-network")
    if "ACI-E172" in done.text:
        pytest.skip("this machine does not let a process have a network of its own")
    assert done.counts == {"passed": 2}, done.text
    recording = run_suite(tmp_path, "--agentci-isolate-network", "--agentci-record")
    assert recording.code == 4
    assert "leaves nothing to record from" in recording.text
