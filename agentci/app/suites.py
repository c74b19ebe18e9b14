"""Suites, for the use cases that evaluate and judge them: the one place to import from."""

from agentci.app.suite_cases import read_cases
from agentci.app.suite_definition import LoadedSuite, find_suites, load_suite
from agentci.app.suite_target import case_inputs, case_repository, suite_bundle, target_output

__all__ = [
    "LoadedSuite",
    "case_inputs",
    "case_repository",
    "find_suites",
    "load_suite",
    "read_cases",
    "suite_bundle",
    "target_output",
]
