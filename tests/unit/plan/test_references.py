"""Every static check, each with a planted fault that it has to find, and a good definition."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest

import agentci.plan
from agentci.plan.expression_checks import OUTCOMES
from agentci.plan.references import check_bundle
from agentci.steps.results import Outcome
from tests.support.bundles import AGENTS, bundle_of, problems_of


@dataclass(frozen=True)
class Fault:
    """A definition with one mistake."""

    text: str
    code: str
    words: str
    """Part of the message or hint."""
    fields: dict[str, Any] = field(default_factory=dict)


def steps(text: str) -> str:
    return AGENTS + "steps:\n" + text


def run(argument: str, extra: str = "") -> str:
    return steps(f"- {{id: a, run: [echo, hi]}}\n- {{id: b, run: [echo, '{argument}']{extra}}}\n")


LOOP = """
- id: fix
  loop:
    until: {until}
    max: {max}
    initial: {initial}
    carry: {carry}
    steps:
    - {{id: code, agent: coder, prompt: p.md, with: {values}}}
    - {{id: review, agent: reviewer, prompt: p.md}}
"""
APPROVED = "${{ steps.review.output.approved }}"


def loop(**changes: Any) -> str:
    values = {"until": APPROVED, "max": 3, "initial": "{}", "carry": "{}", "values": "{}"}
    return steps(LOOP.format(**{**values, **changes}))


CHILD = bundle_of(
    "inputs: {task: {}, size: {type: integer, default: 1}}\n"
    "steps: [{id: t, run: [make]}]\n"
    "output: {code: '${{ steps.t.output.exit_code }}'}",
    name="pipelines/child/pipeline.yaml",
)
BAD_CHILD = bundle_of("steps: [{id: t, run: []}]", name="pipelines/child/pipeline.yaml")
ONE_STEP = "steps: [{id: a, run: [make]}]"
CODER = "- {id: a, agent: coder, prompt: p.md}"


def child(with_: str) -> str:
    return f"steps: [{{id: c, pipeline: ../child, with: {with_}}}]"


FAULTS: dict[str, Fault] = {
    "unknown model": Fault(
        AGENTS.replace("coder: {model: small}", "coder: {model: smal}") + ONE_STEP,
        "ACI-D310", "did you mean `small`?",
    ),
    "unknown tool": Fault(
        AGENTS.replace("coder: {model: small}", "coder: {model: small, tools: [read_fil]}")
        + ONE_STEP,
        "ACI-D311", "did you mean `read_file`?",
    ),
    "agent cost without price": Fault(
        "models: {m: {provider: openai, id: x}}\n"
        "agents: {a: {model: m, limits: {cost: 1.5}}}\n" + ONE_STEP,
        "ACI-D312", "has no price",
    ),
    "unknown provider": Fault(
        "models: {m: {provider: opnai, id: x}}\n" + ONE_STEP,
        "ACI-D313", "did you mean `openai`?", {"providers": ("anthropic", "openai")},
    ),
    "scripted without script": Fault(
        "models: {m: {provider: scripted, id: x}}\n" + ONE_STEP, "ACI-D314", "names no script"
    ),
    "script for a real provider": Fault(
        "models: {m: {provider: openai, id: x, script: r.yaml}}\n" + ONE_STEP,
        "ACI-D315", "ignores",
    ),
    "run cost without price": Fault(
        "limits: {cost: 3}\nmodels: {m: {provider: openai, id: x}}\n"
        "agents: {a: {model: m}}\nsteps: [{id: s, agent: a, prompt: p.md}]",
        "ACI-D316", "model `m` has no price",
    ),
    "bad schema": Fault(
        AGENTS.replace("type: boolean", "type: bolean") + ONE_STEP,
        "ACI-D317", "did you mean `boolean`?",
    ),
    "bad schema in a file": Fault(
        "models: {m: {provider: openai, id: x}}\n"
        "agents: {a: {model: m, output: s.json}}\n" + ONE_STEP,
        "ACI-D317", "`s.json`, at `properties/a/pattern`",
        {"schemas": {"s.json": {"properties": {"a": {"pattern": "("}}}}},
    ),
    "commands without the tool": Fault(
        AGENTS.replace("coder: {model: small}", "coder: {model: small, commands: [make]}")
        + ONE_STEP,
        "ACI-D318", "run_command",
    ),
    "tool named twice": Fault(
        AGENTS.replace("coder: {model: small}", "coder: {model: small, tools: [search, search]}")
        + ONE_STEP,
        "ACI-D319", "twice",
    ),
    "missing prompt": Fault(
        steps(CODER), "ACI-D320", "looked for `pipelines/test/p.md`", {"without": ["p.md"]}
    ),
    "missing system prompt": Fault(
        AGENTS.replace("coder: {model: small}", "coder: {model: small, system: s.md}") + ONE_STEP,
        "ACI-D320", "`s.md`", {"without": ["s.md"]},
    ),
    "missing script": Fault(
        AGENTS + ONE_STEP, "ACI-D320", "script `replies.yaml`", {"without": ["replies.yaml"]}
    ),
    "missing schema": Fault(
        "models: {m: {provider: openai, id: x}}\n"
        "agents: {a: {model: m, output: s.json}}\n" + ONE_STEP,
        "ACI-D320", "schema file `s.json`",
    ),
    "missing python file": Fault(
        "steps: [{id: p, python: 'a.py:f'}]", "ACI-D320", "python file", {"without": ["a.py"]}
    ),
    "missing pipeline": Fault(child("{}"), "ACI-D320", "pipeline `../child`"),
    "file that is not text": Fault(
        steps(CODER), "ACI-D320", "is not UTF-8",
        {"without": ["p.md"], "unreadable": {"p.md": "is not UTF-8"}},
    ),
    "default of another type": Fault(
        "inputs: {n: {type: integer, default: many}}\n" + ONE_STEP, "ACI-D321", "of type integer"
    ),
    "cost in two currencies": Fault(
        "limits: {cost: 3}\nmodels:\n"
        "  m: {provider: openai, id: x, price: {input: 1, output: 1}}\n"
        "  n: {provider: openai, id: y, price: {input: 1, output: 1, currency: EUR}}\n"
        "agents: {a: {model: m}, b: {model: n}}\n"
        "steps: [{id: s, agent: a, prompt: p.md}, {id: t, agent: b, prompt: p.md}]",
        "ACI-D322", "EUR, USD",
    ),
    "two steps with one id": Fault(
        steps("- {id: a, run: [x]}\n- {id: a, run: [y]}"), "ACI-D330", "rename"
    ),
    "unknown need": Fault(
        steps("- {id: build, run: [x]}\n- {id: b, run: [y], needs: [biuld]}"),
        "ACI-D331", "did you mean `build`?",
    ),
    "need of a step inside another": Fault(
        steps(LOOP.format(until=APPROVED, max=1, initial="{}", carry="{}", values="{}"))
        + "- {id: b, run: [y], needs: [code]}",
        "ACI-D331", "no step beside it",
    ),
    "cycle": Fault(
        steps("- {id: a, run: [x], needs: [c]}\n- {id: b, run: [y]}\n- {id: c, run: [z]}"),
        "ACI-D332", "`a` -> `c` -> `b` -> `a`",
    ),
    "step that needs itself": Fault(
        steps("- {id: a, run: [x], needs: [a]}"), "ACI-D332", "`a` -> `a`"
    ),
    "unknown agent": Fault(
        steps("- {id: a, agent: codr, prompt: p.md}"), "ACI-D333", "did you mean `coder`?"
    ),
    "samples without select": Fault(
        steps("- {id: a, agent: coder, prompt: p.md, samples: 3}"), "ACI-D334", "3 samples"
    ),
    "select without samples": Fault(
        steps("- {id: a, agent: coder, prompt: p.md, select: {majority: true}}"),
        "ACI-D335", "single sample",
    ),
    "two ways to select": Fault(
        steps("- {id: a, agent: coder, prompt: p.md, samples: 2,"
              " select: {majority: true, best: 's.py:f'}}"),
        "ACI-D336", "exactly one way",
    ),
    "fan-out over nothing": Fault(
        steps("- {id: f, foreach: {steps: [{id: a, run: [x]}]}}"), "ACI-D337", "exactly one"
    ),
    "fan-out over two things": Fault(
        steps("- {id: f, foreach: {items: [1], matrix: {a: [1]}, steps: [{id: a, run: [x]}]}}"),
        "ACI-D337", "exactly one",
    ),
    "items that are a text": Fault(
        steps("- {id: f, foreach: {items: 'a b', steps: [{id: a, run: [x]}]}}"),
        "ACI-D338", "not a list",
    ),
    "axis that is a text": Fault(
        steps("- {id: f, foreach: {matrix: {os: 'linux'}, steps: [{id: a, run: [x]}]}}"),
        "ACI-D338", "`os`",
    ),
    "items with one key": Fault(
        steps("- {id: f, foreach: {items: [a, b, a], steps: [{id: a, run: [x]}]}}"),
        "ACI-D339", "same key `a`",
    ),
    "condition that is a text": Fault(
        run("x", ", when: 'yes'"), "ACI-D340", "not one expression"
    ),
    "until that is a text": Fault(loop(until="approved"), "ACI-D340", "not one expression"),
    "no function": Fault("steps: [{id: p, python: 'a.py'}]", "ACI-D341", "file.py:function"),
    "scorer without function": Fault(
        steps("- {id: a, agent: coder, prompt: p.md, samples: 2, select: {best: 's.py'}}"),
        "ACI-D341", "file.py:function",
    ),
    "bad mask": Fault(
        steps("- {id: a, run: [x], mask: ['(']}"), "ACI-D342", "not a regular expression"
    ),
    "mask of nothing": Fault(
        steps("- {id: a, run: [x], mask: ['[0-9]*']}"), "ACI-D342", "matches the empty text"
    ),
    "empty command": Fault(steps("- {id: a, run: []}"), "ACI-D343", "is empty"),
    "open quote": Fault(
        steps("- id: a\n  run: echo 'x"), "ACI-D343", "no closing quotation"
    ),
    "no exit code expected": Fault(
        steps("- {id: a, run: [x], expect: []}"), "ACI-D344", "always fails"
    ),
    "attachment outside": Fault(
        steps("- {id: a, agent: coder, prompt: p.md, attachments: [../secret.png]}"),
        "ACI-D345", "outside the workspace",
    ),
    "retry of an external effect": Fault(
        steps("- {id: a, run: [x], side_effects: external, retry: {attempts: 2}}"),
        "ACI-D346", "at most once",
    ),
    "pipeline in itself": Fault(
        "steps: [{id: c, pipeline: ../child}]", "ACI-D347", "test -> child -> ../child",
        {"recursive": {"../child": ("test", "child")}},
    ),
    "unknown input of a child": Fault(
        child("{task: x, tsk: y}"), "ACI-D348", "did you mean `task`?",
        {"children": {"../child": CHILD}},
    ),
    "missing input of a child": Fault(
        child("{}"), "ACI-D349", "needs the input `task`", {"children": {"../child": CHILD}}
    ),
    "input of a child of another type": Fault(
        child("{task: x, size: big}"), "ACI-D350", "of type integer",
        {"children": {"../child": CHILD}},
    ),
    "mistake in a child": Fault(
        child("{}"), "ACI-D343", "is empty", {"children": {"../child": BAD_CHILD}}
    ),
    "expression in a literal field": Fault(
        "inputs: {f: {}}\n" + steps("- {id: a, agent: coder, prompt: '${{ inputs.f }}.md'}"),
        "ACI-D352", "taken literally",
    ),
    "bad variable": Fault(
        steps("- {id: a, run: [x], pass_env: ['A=B']}"), "ACI-D353", "environment variable"
    ),
    "bad syntax": Fault(run("${{ steps. }}"), "ACI-D120", "steps."),
    "expression that does not end": Fault(run("${{ steps.a"), "ACI-D120", "does not end"),
    "unknown name": Fault(
        run("${{ step.a.output.stdout }}"), "ACI-D360", "did you mean `steps`?"
    ),
    "carry outside a loop": Fault(run("${{ carry.x }}"), "ACI-D360", "only inside a `loop`"),
    "item outside a fan-out": Fault(run("${{ item }}"), "ACI-D360", "only inside a `foreach`"),
    "unknown step": Fault(
        steps("- {id: build, run: [x]}\n- {id: b, run: [echo, '${{ steps.biuld.outcome }}']}"),
        "ACI-D361", "did you mean `build`?",
    ),
    "unknown step behind a default": Fault(
        run("${{ steps.nope.outcome | default(0) }}"), "ACI-D361", "no step `nope`"
    ),
    "step that runs beside": Fault(
        run("${{ steps.a.output.stdout }}", ", needs: []"), "ACI-D362", "add `a` to `needs`"
    ),
    "step that comes later": Fault(
        steps("- {id: a, run: [echo, '${{ steps.b.outcome }}']}\n- {id: b, run: [x]}"),
        "ACI-D362", "may not be finished",
    ),
    "step inside a loop": Fault(
        loop() + "- {id: b, run: [echo, '${{ steps.review.output.approved }}']}",
        "ACI-D362", "steps.fix.output.last.review",
    ),
    "step inside a branch": Fault(
        steps("- id: p\n  parallel: {branches: {one: [{id: x, run: [x]}]}}\n"
              "- {id: b, run: [echo, '${{ steps.x.outcome }}']}"),
        "ACI-D362", "steps.p.output.one.x",
    ),
    "step of another branch": Fault(
        steps("- id: p\n  parallel:\n    branches:\n      one: [{id: x, run: [x]}]\n"
              "      two: [{id: y, run: [echo, '${{ steps.x.outcome }}']}]"),
        "ACI-D362", "inside `p`",
    ),
    "unknown field of a command": Fault(
        run("${{ steps.a.output.std_out }}"), "ACI-D363", "did you mean `stdout`?"
    ),
    "json without parse": Fault(
        run("${{ steps.a.output.json.x }}"), "ACI-D363", "add `parse: json`"
    ),
    "unknown field of a step": Fault(
        run("${{ steps.a.result }}"), "ACI-D363", "`outcome`, `output`, `tree`"
    ),
    "field of a number": Fault(
        run("${{ steps.a.output.exit_code.x }}"), "ACI-D363", "which is a number"
    ),
    "field that is not in the schema": Fault(
        loop(until="${{ steps.review.output.aproved }}"), "ACI-D363", "did you mean `approved`?"
    ),
    "field deep in the schema": Fault(
        loop(until="${{ steps.review.output.comments[0].lin == 1 }}"),
        "ACI-D363", "did you mean `line`?",
    ),
    "field of an agent that gives text": Fault(
        loop(carry="{x: '${{ steps.code.output.answer }}'}"), "ACI-D363", "`text`"
    ),
    "field of a child": Fault(
        child("{task: x}") + "\noutput: {x: '${{ steps.c.output.coed }}'}",
        "ACI-D363", "did you mean `code`?", {"children": {"../child": CHILD}},
    ),
    "axis that does not exist": Fault(
        steps("- {id: f, foreach: {matrix: {os: [a]}, steps:"
              " [{id: a, run: [echo, '${{ item.arch }}']}]}}"),
        "ACI-D363", "`os`",
    ),
    "field of a constant item": Fault(
        steps("- {id: f, foreach: {items: [{name: x}], key: '${{ item.nme }}', steps:"
              " [{id: a, run: [x]}]}}"),
        "ACI-D363", "did you mean `name`?",
    ),
    "unknown field of run": Fault(run("${{ run.id }}"), "ACI-D363", "`seed`"),
    "unknown input": Fault(
        "inputs: {task: {}}\n" + run("${{ inputs.tsk }}"), "ACI-D364", "did you mean `task`?"
    ),
    "carry without a first value": Fault(
        loop(carry="{c: '${{ steps.review.output.approved }}'}", values="{c: '${{ carry.c }}'}"),
        "ACI-D366", "add `c:` to `initial`",
    ),
    "carry without a later value": Fault(
        loop(initial="{c: 1}", values="{c: '${{ carry.c }}'}"), "ACI-D367", "to keep it"
    ),
    "unknown carry": Fault(
        loop(initial="{note: 1}", values="{c: '${{ carry.note2 }}'}"),
        "ACI-D363", "did you mean `note`?",
    ),
    "outcome that no step has": Fault(
        run('${{ steps.a.outcome == "success" }}'), "ACI-D370", "`success`"
    ),
    "outcome on the other side": Fault(
        run('${{ "approvd" != steps.a.outcome }}'), "ACI-D370", "did you mean `approved`?"
    ),
    "until that is constant": Fault(loop(until="${{ true }}"), "ACI-D371", "every iteration"),
    "until that depends on nothing inside": Fault(
        "inputs: {go: {type: boolean}}\n" + loop(until="${{ inputs.go }}"),
        "ACI-D371", "let it depend on a step of the loop",
    ),
    "prompt name that is not given": Fault(
        steps("- {id: a, agent: coder, prompt: p.md, with: {task: x}}"),
        "ACI-D368", "did you mean `task`?", {"prompts": {"p.md": "Hello\n{{ tsk }}"}},
    ),
    "system prompt name that is not given": Fault(
        AGENTS.replace("coder: {model: small}", "coder: {model: small, system: s.md}")
        + f"steps:\n{CODER}",
        "ACI-D368", "step `a`", {"prompts": {"s.md": "{{ role }}"}},
    ),
    "prompt field that does not exist": Fault(
        loop() + "- {id: b, agent: coder, prompt: q.md,"
        " with: {last: '${{ steps.fix.output.last }}'}}",
        "ACI-D369", "did you mean `review`?", {"prompts": {"q.md": "{{ last.reviw.approved }}"}},
    ),
    "prompt with bad syntax": Fault(
        steps(CODER), "ACI-D120", "", {"prompts": {"p.md": "a\n{% if %}"}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_planted_fault_is_found_and_nothing_else_is_said(name: str) -> None:
    fault = FAULTS[name]
    problems = problems_of(fault.text, **fault.fields)
    assert {problem.code for problem in problems} == {fault.code}, problems
    assert any(fault.words in f"{p.message} {p.hint}" for p in problems), problems
    assert all(problem.location.line for problem in problems), problems


def test_every_code_of_the_static_checks_has_a_planted_fault() -> None:
    folder = Path(agentci.plan.__path__[0])
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.py"))]
    codes = {code for text in texts for code in re.findall(r"ACI-D\d+", text)}
    assert codes <= {fault.code for fault in FAULTS.values()}


GOOD = """
inputs:
  task: {description: What to do}
  projects: {type: list, default: [a, b]}
  options: {type: object, default: {}}
models:
  small: {provider: openai, id: m, price: {input: 1, output: 2}}
agents:
  coder: {model: small, system: coder.md, tools: [read_file, run_command], commands: [make]}
  reviewer:
    model: small
    output:
      type: object
      properties:
        approved: {type: boolean}
        comments: {type: [array, "null"], items: {$ref: "#/$defs/comment"}}
        extra: {type: object}
      $defs: {comment: {type: object, properties: {text: {type: string}}}}
limits: {cost: 2.5}
steps:
  - {id: setup, run: "sh -c 'echo ${{ inputs.task | tojson }}'", parse: json, mask: ["[0-9]+s"]}
  - {id: side, run: [make, lint], needs: [], when: "${{ inputs.options.lint | default(true) }}"}
  - id: fix
    needs: [setup]
    loop:
      until: ${{ steps.review.output.approved and steps.test.output.exit_code == 0 }}
      max: 3
      initial: {comments: null, plan: "${{ steps.setup.output.json.plan[0].title }}"}
      carry: {comments: "${{ steps.review.output.comments }}", plan: "${{ carry.plan }}"}
      steps:
        - id: code
          agent: coder
          prompt: code.md
          with:
            task: ${{ inputs.task }}
            round: ${{ loop.iteration }} of ${{ loop.max }}
            comments: ${{ carry.comments }}
            nested: {seed: "${{ run.seed }}", setup: "${{ steps.setup.output }}"}
        - {id: test, run: [make, test], expect: [0, 1]}
        - {id: review, agent: reviewer, prompt: review.md, with: {out: "${{ steps.test.output }}"}}
  - id: fleet
    needs: [fix, side]
    foreach:
      items: ${{ inputs.projects }}
      key: ${{ item.name | default(item) }}
      steps:
        - {id: build, run: [make, "${{ item }}", "${{ steps.fix.output.carry.plan }}"]}
        - id: both
          parallel:
            branches:
              one: [{id: x, run: [echo, "${{ steps.build.output.stdout.strip() }}"]}]
              two: [{id: x, python: "a.py:f", with: {files: "${{ steps.build.output.changed }}"}}]
        - id: end
          run: [echo, "${{ steps.both.output.one.x.stdout }}${{ steps.both.output.two.x.any }}"]
  - id: grid
    foreach:
      matrix: {os: [linux, mac], py: ["3.11", "3.12"]}
      steps: [{id: t, run: [tox, "${{ item.os }}", "${{ item.py.split('.')[0] }}"]}]
  - {id: ask, approve: "Merge ${{ steps.fleet.output['keys'][0] }}?"}
  - {id: done, commit: {message: "${{ inputs.task }} by ${{ steps.ask.output.by }}"}}
output:
  commit: ${{ steps.done.output.commit }}
  rounds: ${{ steps.fix.output.iterations }}
  fixed: ${{ steps.fix.outcome == 'approved' and steps.side.outcome != "failed" }}
  extra: ${{ steps.fix.output.last.review.extra.whatever }}
  first: ${{ steps.fleet.output.items[0].build.exit_code }}
  tree: ${{ steps.done.tree }}
"""
GOOD_PROMPTS = {
    "code.md": "{% for c in comments or [] %}{{ c.text }}{{ loop.index }}{% endfor %}"
    "{{ task }} {{ round.upper() }} {{ nested.setup.stdout }} {{ absent | default('') }}",
    "coder.md": "You code.",
    "review.md": "{% set code = out.exit_code %}{{ code }} {{ out['stdout'] }}",
}


def test_a_rich_definition_without_mistakes_has_no_problems() -> None:
    assert problems_of(GOOD, prompts=GOOD_PROMPTS) == ()


def test_problems_come_with_their_place_in_the_order_of_the_text() -> None:
    problems = problems_of(
        steps("- {id: a, agent: nobody, prompt: p.md}\n- {id: b, run: ['${{ steps.zz.tree }}']}"),
        prompts={"p.md": "x\n  {{ y }}"},
    )
    assert [(p.code, str(p.location)) for p in problems] == [
        ("ACI-D368", "pipelines/test/p.md:2:6"),
        ("ACI-D333", "pipelines/test/pipeline.yaml:18:18"),
        ("ACI-D361", "pipelines/test/pipeline.yaml:19:17"),
    ]


def test_a_mistake_in_a_child_stands_in_the_childs_file() -> None:
    (problem,) = problems_of(child("{}"), children={"../child": BAD_CHILD})
    assert problem.location.file == "pipelines/child/pipeline.yaml"


def test_a_child_that_is_used_twice_is_reported_once() -> None:
    text = "steps: [{id: c, pipeline: ../child}, {id: d, pipeline: ./child}]"
    problems = problems_of(text, children={"../child": BAD_CHILD, "./child": BAD_CHILD})
    assert len(problems) == 1


def test_many_mistakes_are_reported_together() -> None:
    text = steps("- {id: a, run: [], expect: []}\n- {id: a, run: [x], needs: [zz]}")
    assert len(problems_of(text)) == 4


def test_checking_twice_gives_the_same() -> None:
    bundle = bundle_of(GOOD.replace("approved}", "aproved}"), prompts={"code.md": "{{ a }}"})
    assert check_bundle(bundle) == check_bundle(bundle) != ()


def test_outcomes_are_those_that_steps_can_have() -> None:
    assert set(OUTCOMES) == set(get_args(Outcome)) - {"waiting", "halted", "missed"}
