"""Takes a log of Inspect over: its samples as results of a suite, and as a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.app.eval_import_request import EvalImportRequest, EvalImportResult, folder_name
from agentci.app.eval_request import EvaluatedSuite
from agentci.app.eval_results_file import ResultsFile, write_results
from agentci.core.errors import SafetyRefusal, UsageError
from agentci.evals.importers.findings import Notes
from agentci.evals.importers.inspect_log import dataset_rows, jsonl, log_results, read_log

if TYPE_CHECKING:
    from agentci.core.effects import Files


def import_log(request: EvalImportRequest, data: bytes, files: Files) -> EvalImportResult:
    """Write what is asked for of a log.

    Raises:
        UsageError: when nothing is asked for, or an option is for definitions.
        FormatError: when the log is damaged.
        SafetyRefusal: when a file would be overwritten.
    """
    if request.results is None and request.dataset is None:
        raise UsageError(
            "a log gives results or a dataset, and none is asked for",
            code="ACI-U505",
            hint="give `--results FILE`, `--dataset FILE` or both",
        )
    log = read_log(data, request.path.name)
    notes = Notes()
    if log.status != "success":
        notes.add(log.file, "log", f"its status is `{log.status[:40]}`, not `success`")
    suite = f"imported/{request.to or folder_name(request)}"
    if request.to is None:
        # two logs of one task are to be compared, whatever their files are called
        suite = f"imported/{_plain(log.task)}"
    result = log_results(log, suite=suite, threshold=request.threshold, notes=notes)
    written = [path for path in (request.results, request.dataset) if path is not None]
    for path in written:
        if files.exists(path) and not request.replace:
            raise SafetyRefusal(
                f"`{path.as_posix()}` is there already",
                code="ACI-P492",
                hint="take another name, or `--replace` to overwrite it",
            )
    if not request.dry_run:
        if request.results is not None:
            write_results(files, request.results, ResultsFile((EvaluatedSuite(result),)))
        if request.dataset is not None:
            files.write_atomic(request.dataset, jsonl(dataset_rows(log)))
    return EvalImportResult(
        format="inspect",
        source=request.path.as_posix(),
        folder="",
        files=tuple(path.as_posix() for path in written),
        suites=1,
        cases=len(result.cases),
        trials=sum(len(case.trials) for case in result.cases),
        expectations=0,
        notes=tuple(notes.found),
        dry_run=request.dry_run,
    )


def _plain(task: str) -> str:
    name = "".join(char if char.isalnum() or char in "-_." else "-" for char in task.lower())
    return name.strip("-.")[:64] or "task"
