"""Suites that vcrpy and pytest-recording have recorded: one line changes, and they are green."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.echo_server import EchoServer
from tests.support.pytest_suite import run_suite

VCRPY = """
import asyncio
import aiohttp, httpx, httpx2, pytest, requests
import vcr

URL = "{url}"


def test_block():
    with vcr.use_cassette("fixtures/block.yaml", filter_headers=["authorization"]) as cassette:
        first = requests.post(URL, json={{"a": 1}}, headers={{"authorization": "Bearer x"}}).json()
        again = requests.post(URL, json={{"a": 1}}).json()
        assert first["number"] != again["number"]
        assert cassette.play_count in (0, 2)
        assert len(cassette) == 2

@vcr.use_cassette("fixtures/decorated.yaml", match_on=["method", "uri"])
def test_decorated():
    assert httpx2.get(URL + "/items", params={{"page": 2}}).json()["path"] == "/items?page=2"

@vcr.use_cassette("fixtures/query.yaml", filter_query_parameters=["token"], record_mode="once")
def test_filtered_query():
    assert requests.get(URL, params={{"token": "abc", "q": "1"}}).ok

@vcr.use_cassette("fixtures/form.json", serializer="json",
                  filter_post_data_parameters=["password"])
def test_filtered_form():
    assert requests.post(URL, data={{"user": "me", "password": "pw"}}).ok

@vcr.use_cassette("fixtures/aio.yaml")
def test_aiohttp():
    async def main():
        async with aiohttp.ClientSession() as session:
            async def one(number):
                async with session.get(URL + "/" + str(400 + number)) as response:
                    return response.status
            return await asyncio.gather(*map(one, range(5)))
    assert asyncio.run(main()) == [400, 401, 402, 403, 404]

@vcr.use_cassette("fixtures/ignored.yaml", before_record_request=lambda request: None)
def test_not_recorded():
    with pytest.raises(requests.ConnectionError):
        requests.get("http://127.0.0.1:9/")

@vcr.use_cassette("fixtures/injected.yaml", inject_cassette=True)
def call(cassette):
    return requests.get(URL + "/injected").status_code, len(cassette)

def test_injected():
    assert call()[0] == 200
"""


def test_a_vcrpy_suite_moves_over_by_one_line(tmp_path: Path) -> None:
    with EchoServer() as server:
        suite = VCRPY.format(url=server.url)
        (tmp_path / "test_suite.py").write_text(suite)
        recorded = run_suite(tmp_path, plugin=False)
        assert recorded.counts == {"passed": 7}, recorded.text
    originals = {path: path.read_bytes() for path in (tmp_path / "fixtures").iterdir()}
    moved = suite.replace("import vcr\n", "import agentci.cassettes as vcr\n")
    (tmp_path / "test_suite.py").write_text(moved)
    for _ in range(2):  # taken over, then replayed
        done = run_suite(tmp_path, "--agentci-block-network", plugin=True, env={"CI": "true"})
        assert done.counts == {"passed": 7}, done.text
    assert (tmp_path / "fixtures/block.cassette/main/imported.yaml").is_file()
    assert {path: path.read_bytes() for path in originals} == originals


RECORDING = """
import httpx2, pytest, requests

URL = "{url}"

@pytest.mark.vcr
def test_one():
    assert requests.post(URL, json={{"a": 1}}).json()["body"] == '{{"a": 1}}'

@pytest.mark.vcr()
@pytest.mark.parametrize("text", ["a/b", "c"])
def test_each(text):
    assert httpx2.get(URL, params={{"q": text}}).status_code == 200

class TestGroup:
    pytestmark = pytest.mark.vcr

    def test_method(self, vcr):
        assert requests.get(URL + "/method").ok
        assert vcr is not None

@pytest.mark.vcr
@pytest.mark.default_cassette("named.yaml")
def test_named():
    assert requests.get(URL + "/named").ok

@pytest.mark.vcr
@pytest.mark.block_network
def test_blocked():
    assert requests.get(URL + "/blocked").ok

@pytest.mark.block_network
def test_without():
    with pytest.raises(RuntimeError):
        requests.get("http://192.0.2.1/")
"""
CONFTEST = """
import pytest

@pytest.fixture
def vcr_config():
    return {"filter_headers": ["authorization"], "filter_query_parameters": ["key"]}
"""
BY_VCRPY = """
import requests, httpx2, vcr
U = "{url}"
def at(name):
    return vcr.use_cassette("cassettes/test_suite/" + name + ".yaml")
with at("test_one"): requests.post(U, json={{"a": 1}})
with at("test_each[a-b]"): httpx2.get(U, params={{"q": "a/b"}})
with at("test_each[c]"): httpx2.get(U, params={{"q": "c"}})
with at("TestGroup.test_method"): requests.get(U + "/method")
with vcr.use_cassette("cassettes/test_suite/named.yaml"): requests.get(U + "/named")
with at("test_blocked"): requests.get(U + "/blocked")
"""
"""Writes what pytest-recording would have written for the suite."""


def _recorded_suite(folder: Path) -> str:
    with EchoServer() as server:
        program = BY_VCRPY.format(url=server.url)
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    (folder / "test_suite.py").write_text(RECORDING.format(url=server.url))
    (folder / "conftest.py").write_text(CONFTEST)
    return server.url


def test_a_pytest_recording_suite_moves_over_by_one_line(tmp_path: Path) -> None:
    _recorded_suite(tmp_path)
    files = tmp_path / "cassettes/test_suite"
    originals = {path: path.read_bytes() for path in files.glob("*.yaml")}
    assert len(originals) == 6
    (tmp_path / "pytest.ini").write_text("[pytest]\nagentci_vcr_marker = true\n")
    for _ in range(2):
        done = run_suite(tmp_path, "--strict-markers", "-W", "error")
        assert done.counts == {"passed": 7}, done.text
    assert {path: path.read_bytes() for path in files.glob("*.yaml")} == originals
    assert (files / "test_one/main/imported.yaml").is_file()


def test_without_that_line_the_marker_is_not_ours(tmp_path: Path) -> None:
    _recorded_suite(tmp_path)
    done = run_suite(tmp_path, "--strict-markers")
    assert done.code != 0
    assert not list(tmp_path.rglob("imported.yaml"))


def test_a_suite_that_moved_over_records_anew(tmp_path: Path) -> None:
    _recorded_suite(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nagentci_vcr_marker = true\n")
    assert run_suite(tmp_path, "-k", "test_one").counts["passed"] == 1
    with EchoServer() as server:
        (tmp_path / "test_suite.py").write_text(RECORDING.format(url=server.url))
        done = run_suite(tmp_path, "-k", "test_one", "--agentci-record-all")
        assert done.counts["passed"] == 1, done.text
    assert run_suite(tmp_path, "-k", "test_one").counts["passed"] == 1
    found = [path.name for path in (tmp_path / "cassettes/test_suite/test_one").rglob("*.yaml")]
    assert found == ["main.yaml"]
