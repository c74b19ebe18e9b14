"""agentci beside other recorders of HTTP calls, on the same work in the same run.

N distinct chat calls through one httpx client against one server on loopback: recorded, then
replayed with each answer compared and none asked of the server. Every number is from a process of
its own, start-up included, beside the same calls without a recorder. Then a conversation, in which
each turn brings 1.4 KB, and what it takes on disk. Run as `python benchmarks/recorders.py`; under
two minutes, `--full` goes to 20,000 calls. A recorder that is not installed is named and left out;
one that takes too long is not waited for.
"""

# ruff: noqa: PLC0415 - what a recorder imports is in the process that measures it, nowhere else
from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.request import urlopen

Post = Callable[[dict[str, object]], object]

QUICK, FULL = (100, 1_000), (100, 1_000, 5_000, 20_000)
TURNS = (50, 200)
QUICK_LIMIT, FULL_LIMIT = 8, 120
"""Seconds after which a process is stopped."""
MEGABYTE = 1_000_000
TURN_TEXT = "A line of what a tool has found, as long as such lines are.\n" * 23


@dataclass(frozen=True)
class Measured:
    """One process that has recorded or replayed."""

    cpu: float
    """Seconds, start-up included."""
    memory: float
    """Peak resident megabytes."""


@dataclass(frozen=True)
class Recorder:
    """A way to have calls recorded."""

    name: str
    package: str
    """Empty for the floor and for agentci."""
    open: Callable[[Path, str], Any]
    """A context manager that gives a client, for a folder and `record`, `replay` or `talk`."""


@contextmanager
def without(_: Path, __: str) -> Iterator[Any]:
    import httpx

    with httpx.Client(trust_env=False) as client:
        yield client


@contextmanager
def agentci(folder: Path, what: str) -> Iterator[Any]:
    import httpx

    from agentci.cassettes import use

    mode = "replay" if what == "replay" else "record"
    with use(folder / "agentci", mode=mode), httpx.Client(trust_env=False) as client:
        yield client


def _vcrpy(*match_on: str) -> Callable[[Path, str], Any]:
    @contextmanager
    def opened(folder: Path, what: str) -> Iterator[Any]:
        import httpx
        import vcr

        recorder = vcr.VCR(record_mode="none" if what == "replay" else "once")
        options: dict[str, Any] = {"match_on": match_on} if match_on else {}
        path = str(folder / "vcrpy.yaml")
        with recorder.use_cassette(path, **options), httpx.Client(trust_env=False) as client:
            yield client

    return opened


def _cassetter(*match_on: str) -> Callable[[Path, str], Any]:
    @contextmanager
    def opened(folder: Path, what: str) -> Iterator[Any]:
        import httpx

        use = importlib.import_module("cassetter").use_cassette
        mode = "none" if what == "replay" else "once"
        options: dict[str, Any] = {"match_on": list(match_on)} if match_on else {}
        path = folder / "cassetter.yaml"
        with use(path, record_mode=mode, **options), httpx.Client(trust_env=False) as client:
            yield client

    return opened


@contextmanager
def agent_replay(folder: Path, what: str) -> Iterator[Any]:
    package = importlib.import_module("agentreplay")
    transport: Any = importlib.import_module("agentreplay.transport")
    # it records what goes to a few known hosts alone
    transport.TARGET_HOSTS = transport.TARGET_HOSTS | {"127.0.0.1"}
    mode = "replay" if what == "replay" else "record"
    path = str(folder / "agentreplay.jsonl")
    with package.cassette(path, mode=mode) as cassette, cassette.httpx_client() as client:
        yield client


@contextmanager
def cassette_sdk(folder: Path, what: str) -> Iterator[Any]:
    recorder = importlib.import_module("cassette.recorder")
    mode = "replay" if what == "replay" else "record"
    with recorder.http_client(project="bench", mode=mode, cassette_dir=str(folder)) as client:
        yield client


FLOOR = "no recorder"
RECORDERS = (
    Recorder(FLOOR, "", without),
    Recorder("agentci", "", agentci),
    Recorder("vcrpy, defaults", "vcrpy", _vcrpy()),
    Recorder("vcrpy, body", "vcrpy", _vcrpy("method", "uri", "body")),
    Recorder("cassetter, defaults", "cassetter", _cassetter()),
    Recorder("cassetter, json_body", "cassetter", _cassetter("method", "uri", "json_body")),
    Recorder("agent-replay-py", "agent-replay-py", agent_replay),
    Recorder("cassette-sdk", "cassette-sdk", cassette_sdk),
)


class ChatServer(BaseHTTPRequestHandler):
    """Answers a chat with what depends on all of it, and counts."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    count = 0

    def do_POST(self) -> None:
        """Answer a chat."""
        type(self).count += 1
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._send(answer(body["messages"]))

    def do_GET(self) -> None:
        """Say how many chats were answered."""
        self._send({"count": self.count})

    def _send(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def answer(messages: list[dict[str, str]]) -> dict[str, object]:
    last = messages[-1]["content"][:60]
    content = f"Answer {len(messages)} to: {last}\n\n" + "It adds the numbers. " * 20
    return {
        "id": f"chatcmpl-{len(messages)}",
        "object": "chat.completion",
        "created": 1764547200,
        "model": "bench-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 81, "completion_tokens": 97, "total_tokens": 178},
    }


def body(*messages: dict[str, str]) -> dict[str, object]:
    system = {"role": "system", "content": "You are a careful reviewer.\nAnswer briefly."}
    return {"model": "bench-model", "messages": [system, *messages], "temperature": 0}


def calls(count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        text = f"Question {number}: " + "what does this function do? " * 10
        yield body({"role": "user", "content": text})


def conversation(turns: int) -> Iterator[dict[str, object]]:
    said: list[dict[str, str]] = []
    for number in range(turns):
        said.append({"role": "user", "content": f"Turn {number}.\n{TURN_TEXT}"})
        yield body(*said)
        said.append({"role": "assistant", "content": f"I go on after turn {number}."})


def work(name: str, what: str, count: int, *, origin: str, folder: Path) -> Measured:
    """Do all calls once, in this process."""
    recorder = next(each for each in RECORDERS if each.name == name)
    requests = conversation(count) if what == "talk" else calls(count)
    with recorder.open(folder, what) as client:
        for request in requests:
            response = client.post(f"{origin}/v1/chat/completions", json=request)
            messages: Any = request["messages"]
            if response.json() != answer(messages):
                raise SystemExit("another answer")
    own = resource.getrusage(resource.RUSAGE_SELF)
    return Measured(own.ru_utime + own.ru_stime, own.ru_maxrss / 1024)


def measure(
    recorder: Recorder, what: str, count: int, *, origin: str, folder: Path, limit: float
) -> Measured | str:
    """Return what a process of its own took, or in words why there is no number."""
    place = [origin, str(folder)]
    command = [sys.executable, __file__, "--worker", recorder.name, what, str(count), *place]
    before = asked(origin)
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return f"over {limit:g} s"
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "Error" in line] or [""]
        return "fails: " + errors[-1].strip()[:60]
    if what == "replay" and asked(origin) != before:
        return "went live"
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def asked(origin: str) -> int:
    with urlopen(f"{origin}/count") as response:
        return int(json.load(response)["count"])


def on_disk(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


def growth(sizes: tuple[int, ...], recorders: list[Recorder], *, origin: str, limit: float) -> None:
    """Print what N calls take, size by size."""
    print("\nN distinct calls; CPU seconds of the whole process, over those without a recorder")
    header = ("record", "replay", "MB on disk", "peak MB")
    slow: set[str] = set()
    for count in sizes:
        print(f"\n{count:>21,} calls" + "".join(f"{title:>12}" for title in header))
        base: float | None = None
        for recorder in recorders:
            if recorder.name in slow:
                print(f"  {recorder.name:25}     skipped, over {limit:g} s with fewer calls")
                continue
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                done: list[Measured | str] = []
                for what in ("record", "replay")[: 1 if recorder.name == FLOOR else 2]:
                    if not done or isinstance(done[0], Measured):
                        found = measure(
                            recorder, what, count, origin=origin, folder=folder, limit=limit
                        )
                        done.append(found)
                size = on_disk(folder)
            if f"over {limit:g} s" in done:
                slow.add(recorder.name)
            first = done[0]
            if recorder.name == FLOOR and isinstance(first, Measured):
                base = first.cpu
                print(f"  {recorder.name:25}{first.cpu:10.2f} s{'':24}{first.memory:12.0f}")
                continue
            shown = "".join(_ratio(each, base) for each in done)
            peak = max((each.memory for each in done if isinstance(each, Measured)), default=0)
            rest = f"{size:12.2f}{peak:12.0f}" if peak else ""
            print(f"  {recorder.name:25}{shown}{rest}")


def _ratio(measured: Measured | str, base: float | None) -> str:
    if isinstance(measured, str):
        text = f"skipped, {measured}" if measured.startswith("over") else measured
        return f"  {text}"
    return f"{measured.cpu / base:11.2f}x" if base else f"{measured.cpu:10.2f} s"


def sizes_of_talks(recorders: list[Recorder], *, origin: str, limit: float) -> None:
    """Print what a conversation takes on disk, over what is said in it once."""
    print("\nA conversation; MB on disk, over its text said once")
    for turns in TURNS:
        *_, last = conversation(turns)
        once = (
            len(json.dumps(last)) + turns * len(json.dumps(answer([{"content": ""}])))
        ) / MEGABYTE
        print(f"\n{turns:>21,} turns{once:10.2f} MB")
        for recorder in recorders:
            if recorder.name == FLOOR:
                continue
            with tempfile.TemporaryDirectory() as name:
                place = Path(name)
                done = measure(recorder, "talk", turns, origin=origin, folder=place, limit=limit)
                size = on_disk(place)
            if isinstance(done, str):
                print(f"  {recorder.name:25}{_ratio(done, None)}")
            else:
                print(f"  {recorder.name:25}{size:10.2f} MB{size / once:8.1f}x")


def installed() -> list[Recorder]:
    """Return the recorders that are there, and print their versions and how to get the others."""
    found = []
    for recorder in RECORDERS:
        try:
            version = metadata.version(recorder.package) if recorder.package else ""
        except metadata.PackageNotFoundError:
            print(f"{recorder.name}: left out; pip install {recorder.package}")
            continue
        found.append(recorder)
        if version:
            print(f"{recorder.name}: {recorder.package} {version}")
    return found


@contextmanager
def served() -> Iterator[str]:
    """Run the server in a process of its own, whose CPU time is nobody's; give its origin."""
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 20,000 calls; takes an hour")
    parser.add_argument("--quick", action="store_true", help="up to 1,000 calls: the default")
    parser.add_argument("--calls", type=int, nargs="+", help="sizes, in place of those")
    parser.add_argument("--limit", type=float, help="seconds after which a process is stopped")
    parser.add_argument("--only", nargs="+", help="names of recorders; the floor always runs")
    parser.add_argument("--worker", nargs=5, metavar=("NAME", "WHAT", "COUNT", "ORIGIN", "FOLDER"))
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        server = ThreadingHTTPServer(("127.0.0.1", 0), ChatServer)
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
    if options.worker:
        name, what, count, origin, folder = options.worker
        print(json.dumps(asdict(work(name, what, int(count), origin=origin, folder=Path(folder)))))
        return 0
    began = time.monotonic()
    limit = options.limit or (FULL_LIMIT if options.full else QUICK_LIMIT)
    wanted = {FLOOR, *(options.only or (each.name for each in RECORDERS))}
    recorders = [each for each in installed() if each.name in wanted]
    with served() as origin:
        sizes = tuple(options.calls or (FULL if options.full else QUICK))
        growth(sizes, recorders, origin=origin, limit=limit)
        sizes_of_talks(recorders, origin=origin, limit=limit)
    print(f"\n{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
