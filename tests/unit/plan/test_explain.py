"""What changed between two keys, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import Digest, digest_bytes
from agentci.plan.explain import explain
from agentci.plan.keys import StepInstance, StepKey, step_key
from tests.support.bundles import AGENTS, bundle_of, step_of

A, B = digest_bytes(b"a"), digest_bytes(b"b")
parts = st.dictionaries(st.sampled_from(["a", "b", "c.d"]), st.sampled_from([A, B]))


def test_added_removed_and_changed_parts_are_told_apart() -> None:
    changes = explain(
        StepKey(A, {"prompt": A, "env.X": A, "seed": A}),
        StepKey(B, {"prompt": B, "env.Y": A, "seed": A}),
    )
    assert [(change.field, change.kind) for change in changes] == [
        ("env.X", "removed"),
        ("env.Y", "added"),
        ("prompt", "changed"),
    ]
    assert str(changes[0]) == "`env.X` removed (an environment variable)"
    assert str(changes[2]).startswith("`prompt` changed (the prompt file): ")


@given(parts, parts)
def test_there_is_a_change_exactly_where_parts_differ(
    old: dict[str, Digest], new: dict[str, Digest]
) -> None:
    changes = explain(StepKey(A, old), StepKey(A, new))
    assert bool(changes) == (old != new)
    assert [change.field for change in changes] == sorted(change.field for change in changes)


def test_every_part_of_a_key_has_a_meaning() -> None:
    bundle = bundle_of(AGENTS + "steps: [{id: a, agent: coder, prompt: p.md}]")
    instance = StepInstance(
        implementation="1", tree="t", seed=0, inputs={"x": 1}, files={"f": "b"}, env={"E": ""}
    )
    empty = StepKey(A, {})
    for change in explain(empty, step_key(bundle, step_of(bundle), instance=instance)):
        assert change.meaning != "a part of the key", change.field
