"""Running git: one function, a fixed environment, failures as agentci's errors.

Nothing of the user's or the repository's configuration takes part: no hooks, filters, aliases,
replace refs, global ignore files or file system monitors. Must not know of runs or workspaces.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentci.adapters.system import SystemEnv
from agentci.core.errors import EnvironmentProblem, StorageError

_UMASK = 0o022
_CONFIG = (
    ("advice.addEmbeddedRepo", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.excludesFile", "/dev/null"),
    ("core.fileMode", "true"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.symlinks", "true"),
    ("core.untrackedCache", "false"),
    ("diff.algorithm", "myers"),
    ("diff.indentHeuristic", "true"),
    ("diff.noprefix", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    # Rename detection is a heuristic that differs between versions of git; a merge must not.
    ("merge.directoryRenames", "false"),
    ("merge.renames", "false"),
)
_FIXED_ENV: Mapping[str, str] = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_AUTHOR_DATE": "@0 +0000",
    "GIT_AUTHOR_EMAIL": "agentci@localhost",
    "GIT_AUTHOR_NAME": "agentci",
    "GIT_COMMITTER_EMAIL": "agentci@localhost",
    "GIT_COMMITTER_NAME": "agentci",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "TZ": "UTC",
    "XDG_CONFIG_HOME": "/nonexistent",
    "GIT_CONFIG_COUNT": str(len(_CONFIG)),
    **{f"GIT_CONFIG_KEY_{index}": key for index, (key, _) in enumerate(_CONFIG)},
    **{f"GIT_CONFIG_VALUE_{index}": value for index, (_, value) in enumerate(_CONFIG)},
}


@dataclass(frozen=True, slots=True)
class GitOutput:
    """What a git command printed."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, without the final line break."""
        return self.stdout.decode("utf-8", "replace").rstrip("\n")


class Git:
    """git on one repository, named explicitly so that git never goes looking for one."""

    __slots__ = ("_base_env", "git_dir")

    def __init__(self, git_dir: Path) -> None:
        """Use the repository whose `.git` folder is `git_dir`."""
        self.git_dir = git_dir
        path = SystemEnv().get("PATH") or "/usr/local/bin:/usr/bin:/bin"
        self._base_env = {**_FIXED_ENV, "PATH": path, "GIT_DIR": str(git_dir)}

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        index: Path | None = None,
        work_tree: Path | None = None,
        cwd: Path | None = None,
        allowed: tuple[int, ...] = (0,),
    ) -> GitOutput:
        """Run `git args` and return its output; exit codes not in `allowed` are errors.

        Raises:
            EnvironmentProblem: when git is missing or fails.
            StorageError: when the disk is full or not writable.
        """
        env = dict(self._base_env)
        if index is not None:
            env["GIT_INDEX_FILE"] = str(index)
        if work_tree is not None:
            env["GIT_WORK_TREE"] = str(work_tree)
        try:
            done = subprocess.run(
                ("git", *args),  # noqa: S607 - found on the user's PATH, as the user's own git is
                input=stdin,
                capture_output=True,
                check=False,
                cwd=cwd or work_tree or self.git_dir,
                env=env,
                umask=_UMASK,
                process_group=0,  # Ctrl-C is for us; half a git command would look like a failure
            )
        except FileNotFoundError as error:
            raise _not_started(error) from error
        except OSError as error:
            raise EnvironmentProblem(f"git cannot be started: {error}", code="ACI-E212") from error
        output = GitOutput(done.returncode, done.stdout, done.stderr)
        if done.returncode not in allowed:
            raise failure(args[0], output)
        return output

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start `git args` to talk with it; whoever starts it ends it.

        Raises:
            EnvironmentProblem: when git is missing.
        """
        try:
            return subprocess.Popen(
                ("git", *args),  # noqa: S607 - found on the user's PATH, as the user's own git is
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self.git_dir,
                env=self._base_env,
                process_group=0,
            )
        except FileNotFoundError as error:
            raise _not_started(error) from error
        except OSError as error:
            raise EnvironmentProblem(f"git cannot be started: {error}", code="ACI-E212") from error


def _not_started(error: FileNotFoundError) -> EnvironmentProblem:
    if error.filename == "git":
        return EnvironmentProblem(
            "git is not installed, or not on the `PATH`",
            code="ACI-E210",
            hint="install git 2.38 or newer, then run `agentci doctor`",
        )
    return EnvironmentProblem(f"the folder `{error.filename}` is gone", code="ACI-E215")


def failure(command: str, output: GitOutput) -> EnvironmentProblem:
    """Return the error for a git command that failed."""
    said = output.stderr.decode("utf-8", "replace").strip()
    for sign, hint in (
        ("No space left on device", "free some space and run the same command again"),
        ("Read-only file system", "the folder `.agentci` has to be writable"),
        ("Disk quota exceeded", "free some space and run the same command again"),
        # git says no more than that when a checkout fills the disk
        ("unable to write file", "see whether the disk is full (`df`), and run the command again"),
    ):
        if sign in said:
            return StorageError(f"`git {command}`: {_last(said)}", code="ACI-E213", hint=hint)
    return EnvironmentProblem(
        f"`git {command}` failed with exit code {output.exit_code}: {_last(said) or 'no message'}",
        code="ACI-E212",
        hint=_partial_clone_hint(said),
    )


def _last(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (fatal or lines or [""])[-1][:500]


def _partial_clone_hint(said: str) -> str | None:
    missing = ("unable to read", "missing blob", "bad object", "could not fetch", "not a valid obj")
    if any(sign in said for sign in missing):
        return "an object is missing; in a partial clone, run `git fetch --refetch --no-filter`"
    return None
