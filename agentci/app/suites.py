"""Suites, for the use cases that evaluate and judge them: the one place to import from."""

from agentci.app.suite_cases import case_place, read_cases
from agentci.app.suite_checks import ReadySuite, check_suite, checked_suite, no_cases
from agentci.app.suite_definition import LoadedSuite, find_suites, load_suite, read_policy
from agentci.app.suite_scorer_checks import scorer_name
from agentci.app.suite_target import case_inputs, case_repository, suite_bundle, target_output

__all__ = [
    "LoadedSuite",
    "ReadySuite",
    "case_inputs",
    "case_place",
    "case_repository",
    "check_suite",
    "checked_suite",
    "find_suites",
    "load_suite",
    "no_cases",
    "read_cases",
    "read_policy",
    "scorer_name",
    "suite_bundle",
    "target_output",
]
