"""Student's t, which the standard library does not have: the only door to scipy in this package.

Knows nothing of what is compared.
"""

from __future__ import annotations

from typing import Any

from agentci.core.errors import EnvironmentProblem


def t_below(t: float, *, df: int) -> float:
    """Return the share of Student's t with `df` degrees of freedom that lies below `t`.

    Raises:
        EnvironmentProblem: when scipy is not installed.
    """
    return float(_special().stdtr(df, t))


def t_two_sided(confidence: float, *, df: int) -> float:
    """Return how many standard errors t stays within as often as `confidence` says.

    Raises:
        EnvironmentProblem: when scipy is not installed.
    """
    return float(_special().stdtrit(df, (1 + confidence) / 2))


def _special() -> Any:
    try:
        from scipy import special  # noqa: PLC0415 - optional, and takes 0.3 s
    except ImportError:
        raise EnvironmentProblem(
            "the package `scipy` is not installed, which judges means of cases and groups",
            code="ACI-E420",
            hint="`pip install 'agentci-pipelines[stats]'` installs it",
        ) from None
    return special
