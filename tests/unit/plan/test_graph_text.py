"""Pictures of a plan: readable, escaped, and always the same."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agentci.plan.graph_text import to_dot, to_mermaid
from agentci.plan.planner import Plan, build_plan
from tests.support.bundles import AGENTS, bundle_of

TEXT = (
    AGENTS
    + """
steps:
  - {id: setup, run: [make, "say \\"hi\\""]}
  - id: fix
    loop:
      until: ${{ steps.review.output.approved }}
      max: 3
      steps:
        - {id: code, agent: coder, prompt: p.md}
        - {id: review, agent: reviewer, prompt: p.md}
  - id: both
    needs: [setup]
    parallel: {branches: {left: [{id: x, run: [a]}], right: [{id: x, run: [b]}]}}
  - {id: ask, approve: "Go?", needs: [fix, both]}
  - {id: done, commit: {message: m}}
"""
)

MERMAID = """\
flowchart TD
  s1["setup<br/>run make say #34;hi#34;"]
  subgraph s2["fix<br/>loop, at most 3: until steps.review.output.approved"]
    s3(["code<br/>agent coder"])
    s4(["review<br/>agent reviewer"])
  end
  subgraph s5["both<br/>parallel"]
    subgraph s6b["left"]
      s6["x<br/>run a"]
    end
    subgraph s7b["right"]
      s7["x<br/>run b"]
    end
  end
  s8{{"ask<br/>approve"}}
  s9[["done<br/>commit"]]
  s1 --> s2
  s3 --> s4
  s1 --> s5
  s2 --> s8
  s5 --> s8
  s8 --> s9
"""

DOT = r"""digraph "test" {
  compound=true;
  node [shape=box, style=rounded];
  s1 [label="setup\nrun make say \"hi\"", shape=box];
  subgraph cluster_s2 {
    label="fix\nloop, at most 3: until steps.review.output.approved";
    s3 [label="code\nagent coder", shape=ellipse];
    s4 [label="review\nagent reviewer", shape=ellipse];
  }
  subgraph cluster_s5 {
    label="both\nparallel";
    subgraph cluster_s6b {
      label="left";
      s6 [label="x\nrun a", shape=box];
    }
    subgraph cluster_s7b {
      label="right";
      s7 [label="x\nrun b", shape=box];
    }
  }
  s8 [label="ask\napprove", shape=hexagon];
  s9 [label="done\ncommit", shape=folder];
  s1 -> s3 [lhead=cluster_s2];
  s3 -> s4;
  s1 -> s6 [lhead=cluster_s5];
  s4 -> s8 [ltail=cluster_s2];
  s7 -> s8 [ltail=cluster_s5];
  s8 -> s9;
}
"""


def plan_of(text: str = TEXT) -> Plan:
    return build_plan(bundle_of(text), {})


def test_mermaid_shows_boxes_branches_and_needs() -> None:
    assert to_mermaid(plan_of()) == MERMAID


def test_dot_shows_clusters_and_edges_between_steps() -> None:
    assert to_dot(plan_of()) == DOT


def test_a_long_command_is_cut() -> None:
    plan = plan_of(f"steps: [{{id: a, run: [{'x' * 200}]}}]")
    assert "..." in to_mermaid(plan)
    assert max(map(len, to_dot(plan).splitlines())) < 100


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), min_size=1))
def test_no_text_can_break_out_of_its_label(word: str) -> None:
    plan = build_plan(bundle_of("steps: [{id: a, run: [x]}]"), {})
    step = plan.nodes[0].step.model_copy(update={"run": (word,)})
    broken = replace(plan, nodes=(replace(plan.nodes[0], step=step),))
    assert len(to_mermaid(broken).splitlines()) == 2
    assert re.fullmatch(r'  s1\["[^"]*"\]', to_mermaid(broken).splitlines()[1])
    assert re.search(r'label="(?:[^"\\]|\\.)*", shape=box\];', to_dot(broken))
