"""The cases of a suite: its dataset read, filtered and sampled. Runs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from agentci.app.suite_definition import project_path
from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import (
    Location,
    NothingMatched,
    Problem,
    SpecError,
    StepFailed,
    UsageError,
)
from agentci.evals.datasets.cases import case_of, fields_of, matches, sampled
from agentci.evals.datasets.registry import file_endings, rows_reader
from agentci.evals.datasets.rows import sound_row
from agentci.spec.expressions import truth

if TYPE_CHECKING:
    from agentci.app.suite_definition import LoadedSuite
    from agentci.core.effects import Files
    from agentci.evals.case import Case
    from agentci.evals.datasets.rows import Row


def read_cases(suite: LoadedSuite, files: Files, *, root: Path) -> tuple[Case, ...]:
    """Return the cases that the suite takes of its dataset, in order of their ids.

    Raises:
        SpecError: when the dataset is not there, outside of the project, or not well formed, a
            case's id is not unique, or the filter has no value.
        NothingMatched: when no case is left.
        StorageError: when a file cannot be read.
    """
    dataset = suite.spec.dataset
    if (dataset.path is None) == (dataset.cases is None):
        given = "both" if dataset.path is not None else "none"
        message = f"a dataset has either `path` or `cases`, and this one has {given}"
        _refuse(suite, "ACI-D502", ("dataset",), message=message)
    taken = _filtered(suite, _unique(_Reader(suite, files, root).cases(), root))
    cases = sampled(sorted(taken, key=lambda case: case.id), suite.spec.dataset.sample)
    if not cases:
        place = suite.positions.locate(("dataset",))
        raise NothingMatched(
            f"suite `{suite.spec.name}` has no cases",
            code="ACI-N323",
            hint="look at `filter` and the file of the dataset",
            location=place,
        )
    required = suite.spec.required
    return tuple(
        replace(case, required=True)
        if any(matches(pattern, case.id) for pattern in required)
        else case
        for case in cases
    )


def case_place(case: Case, root: Path) -> Location:
    """Return where a case stands, as the user would type it."""
    return Location(None if case.file is None else (root / case.file).as_posix(), case.line)


def _unique(cases: Iterator[Case], root: Path) -> Iterator[Case]:
    seen: dict[str, Case] = {}
    for case in cases:
        first = seen.setdefault(case.id, case)
        if first is not case:
            message = (
                f"the case `{case.id}` is there twice, in line {first.line} and line {case.line}"
            )
            place = case_place(case, root)
            raise SpecError((Problem("ACI-D543", message, place, "give each an id of its own"),))
        yield case


def _filtered(suite: LoadedSuite, cases: Iterator[Case]) -> Iterator[Case]:
    condition = suite.spec.dataset.filter
    for case in cases:
        if condition is True:
            yield case
            continue
        try:
            taken = truth(condition, {"case": case.scope()})
        except (SpecError, StepFailed) as error:
            message = f"{error.message} (case `{case.id}`)"
            _refuse(suite, "ACI-D513", ("dataset", "filter"), message=message, hint=error.hint)
        if taken:
            yield case


@dataclass(frozen=True, slots=True)
class _Reader:
    suite: LoadedSuite
    files: Files
    root: Path

    def cases(self) -> Iterator[Case]:
        dataset = self.suite.spec.dataset
        fields = fields_of(dataset)
        if dataset.path is None:
            shown = self.suite.path + "/" + self.suite.file.name
            for row in self._inline():
                yield case_of(row, fields, file=shown)
            return
        place = Path(os.path.normpath(self.suite.folder / dataset.path))
        path = project_path(place, self.root)
        if path is None:
            self._refuse("ACI-D541", f"the dataset `{dataset.path}` is outside of the project")
        if not self.files.exists(place):
            hint = f"looked for `{place.as_posix()}`"
            self._refuse("ACI-D540", f"there is no dataset `{dataset.path}`", hint)
        read = rows_reader(place.name)
        if read is None:
            yield from self._tasks(place, path)
            return
        for row in read(self.files.read(place), place.as_posix()):
            yield case_of(row, fields, file=path)

    def _inline(self) -> Iterator[Row]:
        locate = self.suite.positions.locate
        for index, value in enumerate(self.suite.spec.dataset.cases or ()):
            place = locate(("dataset", "cases", index))
            yield sound_row(value, file=self.suite.file.as_posix(), line=place.line or 1)

    def _tasks(self, folder: Path, path: str) -> Iterator[Case]:
        from agentci.evals.datasets import task_folder  # noqa: PLC0415 - few datasets are folders

        source = _TaskFiles(folder, self.files, self.root)
        if not source.paths:
            endings = ", ".join(f"`{ending}`" for ending in file_endings())
            self._refuse(
                "ACI-D542",
                f"`{self.suite.spec.dataset.path}` is no dataset that can be read",
                f"give a file that ends with one of {endings}, or a folder of tasks",
            )
        fields = fields_of(self.suite.spec.dataset)
        for row in task_folder.read(source):
            shown = project_path(Path(row.file), self.root) or row.file
            repository = None if row.repository is None else f"{path}/{row.repository}"
            yield case_of(row, fields, file=shown, repository=repository)

    def _refuse(self, code: str, message: str, hint: str | None = None) -> NoReturn:
        _refuse(self.suite, code, ("dataset", "path"), message=message, hint=hint)


class _TaskFiles:
    """Implements `agentci.evals.datasets.task_folder.TaskSource` for a folder of the project."""

    def __init__(self, folder: Path, files: Files, root: Path) -> None:
        self._folder = folder
        self._files = files
        self._root = root.resolve()
        self._given = root.absolute()
        found = files.tree(folder)
        self._links = {each.path: each.link for each in found if each.link is not None}
        self.paths = [each.path.relative_to(folder).as_posix() for each in found]

    def read(self, path: str) -> bytes:
        """Return a file; one that is a link out of the project is refused."""
        place = self._folder / path
        self._check(place)
        if not place.resolve().is_relative_to(self._root):
            raise _leads_out(place)
        return self._files.read(place)

    def digest(self, path: str) -> Digest:
        """Return a file's digest; of a link, that of where it leads, as git keeps it."""
        place = self._folder / path
        link = self._links.get(place)
        if link is None:
            return digest_bytes(self.read(path))
        self._check(place)
        return digest_bytes(b"link " + os.fsencode(link))

    def _check(self, place: Path) -> None:
        """Refuse a link out of the project, in a checkout as in a commit."""
        link = self._links.get(place)
        if link is not None:
            end = Path(os.path.normpath(place.parent.absolute() / link))
            if not any(end.is_relative_to(root) for root in (self._root, self._given)):
                raise _leads_out(place)

    def shown(self, path: str) -> str:
        """Return a path as the user would type it."""
        return (self._folder / path).as_posix()


def _leads_out(place: Path) -> UsageError:
    message = f"`{place.as_posix()}` leads out of the project"
    return UsageError(message, code="ACI-U452", hint="copy the file to where the link is")


def _refuse(
    suite: LoadedSuite,
    code: str,
    path: tuple[str | int, ...],
    *,
    message: str,
    hint: str | None = None,
) -> NoReturn:
    raise SpecError((Problem(code, message, suite.positions.locate(path), hint),))
