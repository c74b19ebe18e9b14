"""Wrong files, odd repositories, full disks, other users: a clear error, or it simply works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import agentci
from tests.support.command_line import ROOT
from tests.support.projects import QUIET_GIT, Project, environment, shipped, small

RUN = "steps: [{id: a, run: [cat, readme.txt]}]"
PIPELINE = "pipelines/small/pipeline.yaml"
HEAD = "format: agentci/pipeline\nversion: 1\nname: small\n"
BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))])
BAD = {
    "malformed": (HEAD + "steps: [\n", 2),
    "no steps": (HEAD + "steps: []\n", 2),
    "a wrong type": (HEAD + "steps: {id: a}\n", 2),
    "an unknown key": (HEAD + RUN + "\nstepz: 1\n", 2),
    "a newer version": (HEAD.replace("1", "2") + RUN, 2),
    "another format": ("format: other\nversion: 1\n", 2),
    "an alias bomb": (HEAD + BOMB, 2),
    "depth": (HEAD + "steps: " + "[" * 5000 + "]" * 5000, 2),
    "a cycle": (HEAD + "steps: [{id: a, run: [x], needs: [b]}, {id: b, run: [x], needs: [a]}]", 2),
    "a missing prompt": (
        HEAD + "models: {m: {provider: openai, id: x}}\nagents: {a: {model: m}}\n"
        "steps: [{id: a, agent: a, prompt: gone.md}]",
        2,
    ),
    "nothing": ("", 2),
    "a list": ("- a\n", 2),
}


def clear(project: Project, *arguments: str, code: int) -> str:
    """Check that a call fails in a way that helps, and return what it says."""
    done = project.call(*arguments)
    assert done.code == code, f"{done.code}: {done.err}"
    assert done.err.count("error[") >= 1
    return done.err


@pytest.mark.parametrize(("text", "code"), BAD.values(), ids=BAD)
def test_a_bad_definition_is_named_with_its_place(tmp_path: Path, text: str, code: int) -> None:
    project = small(tmp_path / "project", RUN)
    project.write(PIPELINE, text)
    err = clear(project, "run", "small", code=code)
    assert "pipeline.yaml" in err or "gone.md" in err
    assert not (project.folder / ".agentci/runs").exists()


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    (project.folder / PIPELINE).write_bytes(HEAD.encode() + b"description: \xff\n")
    assert "UTF-8" in clear(project, "run", "small", code=2)


def test_a_pipeline_that_is_not_there_is_no_traceback(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    assert "gone" in clear(project, "run", "gone", code=5)
    (project.folder / PIPELINE).unlink()
    assert project.call("run", "small").code in {2, 5}


def test_an_input_that_does_not_fit_is_named(tmp_path: Path) -> None:
    project = small(tmp_path / "project", "inputs: {n: {type: integer}}\n" + RUN)
    assert "`n`" in clear(project, "run", "small", code=2)
    assert "`n`" in clear(project, "run", "small", "--set", "n=many", code=2)
    assert "`m`" in clear(project, "run", "small", "--set", "m=1", code=2)


def test_no_repository_at_all_is_named(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    shutil.rmtree(project.folder / ".git")
    assert "repository" in clear(project, "run", "small", code=2)


def test_a_repository_without_commits_is_named(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    shutil.rmtree(project.folder / ".git")
    project.git("init", "-q")
    assert "commit" in clear(project, "run", "small", code=2)


def test_uncommitted_changes_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    project.write("readme.txt", "changed\n")
    done = project.call("run", "small")
    assert done.code == 0
    assert "uncommitted" in done.err
    report = project.run("small", "--no-cache")
    assert report["steps"][0]["output"]["stdout"] == "hello\n"
    assert (project.folder / "readme.txt").read_text() == "changed\n"


def test_a_detached_head_works(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    project.git("checkout", "-q", "--detach")
    assert project.run("small")["verdict"] == "passed"


def test_a_shallow_clone_works(tmp_path: Path) -> None:
    project = small(tmp_path / "project", RUN)
    project.git("commit", "-q", "--allow-empty", "-m", "second")
    project.git("clone", "-q", "--depth", "1", f"file://{project.folder}", str(tmp_path / "b"))
    assert Project(tmp_path / "b").run("small")["verdict"] == "passed"


def test_a_submodule_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    inner = small(tmp_path / "inner", RUN)
    project = small(tmp_path / "project", RUN)
    allow = ("-c", "protocol.file.allow=always")
    project.git(*allow, "submodule", "add", "-q", str(inner.folder), "sub")
    project.git("commit", "-q", "-m", "with a submodule")
    done = project.call("run", "small")
    assert done.code == 0, done.err
    assert "submodule" in done.err


def test_a_second_process_on_the_same_run_is_refused(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    steps = f"steps: [{{id: a, run: [sh, -c, 'touch {flag}; sleep 30']}}]"
    project = small(tmp_path / "project", steps)
    process = subprocess.Popen(
        [sys.executable, "-m", "agentci", "run", "small"],
        cwd=project.folder,
        env=environment(project.folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while not flag.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        assert "another process" in clear(project, "resume", code=2)
    finally:
        process.terminate()
        assert process.wait(30) == 130


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_checkout_that_one_may_only_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    place = Path("/tmp") / f"agentci-readonly-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        small(place / "project", RUN)
        # the checkout itself may lie where only its owner can read
        shutil.copytree(Path(agentci.__file__).parent, place / "library" / "agentci")
        variables = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(place / "library")}
        done = subprocess.run(
            [*NOBODY, sys.executable, "-m", "agentci", "run", "small"],
            cwd=place / "project",
            env={**environment(place), **variables},
            capture_output=True,
            check=False,
            timeout=60,
        )
        err = done.stderr.decode()
        if "No module named" in err or "Permission denied" in err.split("error[")[0]:
            pytest.skip("this user cannot read the interpreter of the tests")
        assert done.returncode == 6, err
        assert "Traceback" not in err
        assert "hint:" in err
    finally:
        shutil.rmtree(place)


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

FULL = """
set -e
mkdir -p {mount}
mount -t tmpfs -o size=1200k tmpfs {mount}
cp -r {source}/. {mount}
cd {mount}
set +e
"{python}" -m agentci run pipelines/small --mode record; code=$?
df -k {mount} | tail -1 >&2
keys() {{ grep -rh '^key:' cassettes --include='*.yaml' | sort; }}
keys > /dev/shm/{name}
wc -l < /dev/shm/{name}
mount -o remount,size=60m {mount}
"{python}" -m agentci resume; echo "resumed $?"
keys | comm -23 /dev/shm/{name} - | wc -l
keys | wc -l
rm /dev/shm/{name}
exit $code
"""


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode != 0,
    reason="this kernel lets nobody make a mount namespace",
)
def test_a_full_disk_while_recording_is_named_and_loses_nothing(tmp_path: Path) -> None:
    script = f'[{{reply: {{text: "{"words " * 20_000}"}}}}]'
    steps = "".join(
        f"  - {{id: s{n}, agent: a, prompt: ask.md, with: {{question: q{n}}}}}\n" for n in range(12)
    )
    project = small(
        tmp_path / "project",
        "steps:\n" + steps,
        script=f"format: agentci/script\nversion: 1\nrules: {script}\n",
    )
    shell = FULL.format(
        mount=tmp_path / "mount",
        source=project.folder,
        python=sys.executable,
        name=f"agentci-{os.getpid()}",
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", shell],
        env={**environment(tmp_path), "PYTHONPATH": str(ROOT), **QUIET_GIT},
        capture_output=True,
        check=False,
        timeout=120,
    )
    err, out = done.stderr.decode(), done.stdout.decode()
    assert done.returncode == 6, err[-2000:]
    assert "Traceback" not in err
    assert "hint:" in err
    *_, before, resumed, lost, after = [
        line for line in out.splitlines() if line.strip().isdigit() or line.startswith("resumed")
    ]
    assert 1 <= int(before) < 12
    assert (resumed, int(lost), int(after)) == ("resumed 0", 0, 12)


def test_a_lock_file_edited_by_hand_is_refused(tmp_path: Path) -> None:
    project = shipped(tmp_path)
    lock = tmp_path / "agentci.lock"
    text = lock.read_text()
    place = text.index('"run_digest": "sha256:') + len('"run_digest": "sha256:')
    other = "1" if text[place] == "0" else "0"
    lock.write_text(text[:place] + other + text[place + 1 :])
    assert "agentci.lock" in clear(project, "run", "pipelines/bugfix", "--mode", "replay", code=8)


def test_a_changed_journal_is_refused(tmp_path: Path) -> None:
    project = small(tmp_path / "project", "steps: [{id: a, run: [fail-me]}]")
    project.call("run", "small")
    (journal,) = (project.folder / ".agentci/runs").glob("*/journal.jsonl")
    journal.write_text(journal.read_text().replace('"lane":"a"', '"lane":"b"', 1))
    assert "journal" in clear(project, "resume", code=8)
