"""The Action on real histories: what it says, and what it leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.action_runner import ActionRun, Storage, run_action
from tests.support.command_line import ROOT
from tests.support.github_api import GitHubApi
from tests.support.pull_requests import (
    Checkout,
    Event,
    Remote,
    check_out,
    installed_by,
    job,
    make_remote,
    merge_group,
    pull_request,
    push,
)

ACTION = ROOT / "action.yml"
HERE = {"version": "installed", "python-version": ""}
"""Inputs with which nothing is installed."""
JUDGE = "Check, replay and judge"
COMMENT = "Comment on the pull request"


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Remote:
    return make_remote(tmp_path_factory.mktemp("remote"))


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    with GitHubApi() as server:
        yield server


def _run(
    checkout: Checkout,
    event: Event,
    inputs: Mapping[str, str] | None = None,
    *,
    api: GitHubApi | None = None,
    token: str = "",
    storage: Storage | None = None,
) -> ActionRun:
    url = api.url if api is not None else ""
    work = job(checkout, event, api=url, token=token, storage=storage)
    return run_action(ACTION, work, {**HERE, **(inputs or {})})


def test_a_pull_request_that_breaks_a_case_is_blocked(
    remote: Remote, tmp_path: Path, api: GitHubApi
) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-bad"])
    event = pull_request(remote.commits["main"])
    done = _run(checkout, event, api=api, token="job-token")

    assert not done.success
    assert done.step(JUDGE).code == 1, done.log
    assert done.outputs["verdict"] == "regression"
    assert (done.outputs["blocks"], done.outputs["exit-code"]) == ("true", "1")
    assert done.outputs["newly-broken"] == "1"
    assert json.loads(done.outputs["newly-broken-cases"]) == ["pipelines/ask::sky"]
    assert (done.outputs["cases"], done.outputs["score"]) == ("3", "0.3333")
    assert done.outputs["not-judged"] == "0"
    assert done.outputs["run-digest"].startswith("sha256:")
    first, *others = done.annotations
    assert first.level == "error"
    assert "regression" in first.properties["title"]
    (broken,) = [each for each in others if "sky" in each.properties["title"]]
    assert broken.properties["file"] == "pipelines/ask/cases.jsonl"
    assert broken.properties["line"] == "1"
    assert "sky" in done.summary
    report = Path(done.outputs["report-path"])
    assert report.read_text().startswith("<!doctype html>")
    names = {path.name for path in Path(done.outputs["report-folder"]).iterdir()}
    assert names == {"report.html", "report.md", "junit.xml", "results.sarif", "decision.json"}
    (comment,) = api.comments
    assert "sky" in comment["body"]


def test_the_comment_of_an_earlier_push_is_updated(
    remote: Remote, tmp_path: Path, api: GitHubApi
) -> None:
    api.add("a person's remark", login="someone", kind="User")
    event = pull_request(remote.commits["main"])
    bad = check_out(remote, tmp_path / "a", remote.commits["merge-bad"])
    _run(bad, event, api=api, token="job-token")
    good = check_out(remote, tmp_path / "b", remote.commits["merge-good"])
    done = _run(good, event, api=api, token="job-token")

    assert done.success, done.log
    remark, comment = api.comments
    assert remark["body"] == "a person's remark"
    assert "sky" not in comment["body"]
    assert "updated: " in done.step(COMMENT).log


def test_a_fork_is_judged_without_secrets_and_told_in_the_summary(
    remote: Remote, tmp_path: Path, api: GitHubApi
) -> None:
    api.tokens = {"forks-token": "read"}
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-bad"])
    done = _run(checkout, pull_request(remote.commits["main"]), api=api, token="forks-token")

    assert done.outputs["verdict"] == "regression"
    assert done.step(JUDGE).code == 1
    assert "sky" in done.summary
    assert done.step(COMMENT).outcome == "success"
    assert "pull requests from forks" in done.step(COMMENT).log
    assert not api.comments


def test_only_the_comment_gets_the_token(remote: Remote, tmp_path: Path, api: GitHubApi) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    done = _run(checkout, pull_request(remote.commits["main"]), api=api, token="job-token")
    holders = [step.name for step in done.steps if "job-token" in step.env.values()]
    assert holders == [COMMENT]
    assert "job-token" not in done.log


def test_an_api_that_is_down_does_not_change_the_verdict(
    remote: Remote, tmp_path: Path, api: GitHubApi
) -> None:
    api.broken = 502
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    done = _run(checkout, pull_request(remote.commits["main"]), api=api, token="job-token")
    assert done.success
    assert done.step(COMMENT).outcome == "failure"
    assert "ACI-E511" in done.step(COMMENT).log


def test_a_merge_queue_is_judged_against_the_commit_before(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    done = _run(checkout, merge_group(remote.commits["main"]), token="job-token")
    assert done.success, done.log
    assert done.outputs["verdict"] == "no regression"
    assert "this job is about no pull request" in done.step(COMMENT).log


@pytest.mark.parametrize("depth", [1, 2])
def test_a_shallow_clone_gets_what_it_lacks(remote: Remote, tmp_path: Path, depth: int) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-bad"], depth=depth)
    done = _run(checkout, pull_request(remote.commits["main"]), {"comment": "false"})
    assert done.outputs["verdict"] == "regression", done.log
    assert done.outputs["newly-broken"] == "1"
    assert ("fetched what the clone did not have" in done.log) == (depth == 1)
    assert done.step(COMMENT).outcome == "skipped"


def test_a_base_that_has_moved_is_compared_where_the_branch_left_it(
    remote: Remote, tmp_path: Path
) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["bad"], depth=1)
    done = _run(checkout, pull_request(remote.commits["main"]))
    assert done.outputs["verdict"] == "regression", done.log
    assert remote.commits["first"][:12] in done.log


def test_a_shallow_clone_without_its_origin_is_told_what_is_missing(
    remote: Remote, tmp_path: Path
) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-bad"], depth=1)
    checkout.project.git("remote", "set-url", "origin", f"file://{tmp_path}/gone.git")
    done = _run(checkout, pull_request(remote.commits["main"]))
    assert done.step(JUDGE).code == 6
    assert done.outputs["verdict"] == "error"
    assert "fetch-depth: 0" in done.summary
    (told,) = done.annotations
    assert (told.level, told.properties["title"]) == ("error", "ACI-E463")


def test_a_push_is_compared_with_what_was_there_before(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-bad"], depth=1)
    done = _run(checkout, push(remote.commits["main"]))
    assert done.outputs["verdict"] == "regression", done.log


def test_a_forced_push_whose_old_commit_is_gone_is_compared_with_the_main_branch(
    remote: Remote, tmp_path: Path
) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-bad"], depth=1)
    done = _run(checkout, push("12" * 20, forced=True))
    assert done.outputs["verdict"] == "regression", done.log
    assert remote.commits["main"][:12] in done.log


def test_a_change_without_recordings_is_not_judged(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-stale"])
    done = _run(checkout, pull_request(remote.commits["main"]))
    assert done.step(JUDGE).code == 4
    assert done.outputs["verdict"] == "not enough evidence"
    assert done.outputs["not-judged"] == "3"
    assert "record" in done.summary


def test_without_anything_to_compare_with_it_says_so(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"], depth=1)
    checkout.project.git("remote", "remove", "origin")
    done = _run(checkout, Event("workflow_dispatch", {}))
    assert done.step(JUDGE).code == 6
    assert done.outputs["verdict"] == "error"
    assert "nothing says what this change is compared with" in done.summary


def test_a_folder_without_git_is_told_in_the_summary(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    shutil.rmtree(checkout.project.folder / ".git")
    done = _run(checkout, Event("workflow_dispatch", {}))
    assert done.step(JUDGE).code == 2
    assert "ACI-U210" in done.summary


def test_what_is_known_is_kept_for_the_next_run(remote: Remote, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    storage = Storage(kept)
    event = pull_request(remote.commits["main"])
    logs = []
    for name in ("a", "b"):
        checkout = check_out(remote, tmp_path / name, remote.commits["merge-bad"])
        done = _run(checkout, event, {"comment": "false"}, storage=storage)
        assert done.outputs["verdict"] == "regression"
        logs.append(done.log)
    assert len(storage.caches) == 1
    assert ["base results: replayed" in log for log in logs] == [True, False]
    assert list(storage.artifacts) == ["agentci-report"]


def test_shards_are_judged_together(remote: Remote, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    storage = Storage(kept)
    event = pull_request(remote.commits["main"])
    for part in ("1/2", "2/2"):
        checkout = check_out(remote, tmp_path / part[0], remote.commits["merge-bad"], depth=1)
        done = _run(checkout, event, {"shard": part}, storage=storage)
        assert done.success, done.log
        assert done.outputs["verdict"] == ""
        assert part.replace("/", "-of-") in done.outputs["artifact"]
        assert "shard" in done.summary
    assert sorted(storage.artifacts) == ["agentci-shard-1-of-2", "agentci-shard-2-of-2"]
    merging = check_out(remote, tmp_path / "merging", remote.commits["merge-bad"])
    for artifact in storage.artifacts.values():
        for file in artifact.iterdir():
            target = merging.project.folder / ".agentci" / "shards" / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    done = _run(merging, event, {"results": ".agentci/shards"}, storage=storage)
    assert done.outputs["verdict"] == "regression", done.log
    assert done.outputs["newly-broken"] == "1"


def test_missing_results_of_shards_are_no_green_job(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    done = _run(checkout, pull_request(remote.commits["main"]), {"results": "shards"})
    assert done.step(JUDGE).code == 5
    assert done.outputs["verdict"] == "error"
    assert "ACI-N510" in done.summary


def test_pipelines_are_replayed_besides(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    done = _run(checkout, Event("push", {}), {"suites": "none", "pipelines": "ask"})
    assert done.step(JUDGE).code == 4, done.log  # the pipeline itself has no recordings
    assert "$ agentci run ask --mode replay" in done.log
    assert "$ agentci gate" not in done.log


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"suites": "nowhere"}, 5),
        ({"args": "--no-such-option"}, 2),
        ({"shard": "3/2"}, 2),
    ],
)
def test_a_wrong_input_is_told_and_never_green(
    remote: Remote, tmp_path: Path, inputs: Mapping[str, str], code: int
) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    done = _run(checkout, pull_request(remote.commits["main"]), inputs)
    assert done.step(JUDGE).code == code, done.log
    assert done.outputs["verdict"] == "error"
    assert "nothing was judged" in done.summary
    assert done.annotations


def test_the_commit_of_the_action_is_what_is_installed(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    work = job(checkout, pull_request(remote.commits["main"]))
    run_action(ACTION, work, {"comment": "false"})
    (call,) = installed_by(checkout)
    assert call.endswith(f" {ROOT}[scorers,stats]")
    assert work.storage.pythons == ["3.12"]


def test_a_version_is_installed_from_the_package_index(remote: Remote, tmp_path: Path) -> None:
    checkout = check_out(remote, tmp_path / "a", remote.commits["merge-good"])
    work = job(checkout, pull_request(remote.commits["main"]))
    run_action(ACTION, work, {"comment": "false", "version": "0.1.0", "extras": ""})
    (call,) = installed_by(checkout)
    assert call.endswith(" agentci-pipelines[]==0.1.0")
