"""Agent programs from npm and PyPI as clients of the proxy: how each is called, and with what.

How they are installed, and in which versions: `client_installs.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.client_installs import CACHE, is_npm, node_folder, this_platform
from tests.support.command_line import ROOT

TASK = "Write the word hello into the file out.txt, then say done."
SHELL_COMMAND = "echo hello > out.txt"

_GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@localhost",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


def _nothing(_cwd: Path, _home: Path) -> None:
    """Leave HOME as it is."""


@dataclass(frozen=True, slots=True)
class ClientProgram:
    """A program, and one task for it."""

    name: str
    """Of its folder of pins, too."""
    program: str
    """Below the folder of its installation."""
    command: Callable[[str], Sequence[str]]
    """The command line, from the path of the program."""
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path, Path], None] = _nothing
    """Fills HOME; the working directory has a git repository already."""
    code: int = 0
    """Exit code of a run without problems."""
    asks: int = 2
    """Requests at least."""

    @property
    def argv(self) -> Sequence[str]:
        """The command line of the installed program."""
        return self.command(str(CACHE / self.name / self.program))

    @property
    def environment(self) -> dict[str, str]:
        """What has to be set around it; Node is found where it was installed."""
        if not is_npm(self.name):
            return dict(self.env)
        return {**self.env, "PATH": f"{node_folder()}{os.pathsep}{os.environ['PATH']}"}


def fill(program: ClientProgram, cwd: Path, home: Path) -> None:
    """Make the working directory a repository of two files, and fill HOME."""
    if not (cwd / ".git").exists():
        (cwd / "readme.txt").write_text("a project\n")
        (cwd / "main.py").write_text("print(1)\n")
        env = {"PATH": os.environ["PATH"], "HOME": str(home), **_GIT}
        for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
            subprocess.run(["git", *arguments], cwd=cwd, env=env, check=True)
    program.prepare(cwd, home)


def _shell(text: str) -> Callable[[str], Sequence[str]]:
    """Return a command that a shell runs, because addresses stand in variables; `$0` is it."""
    return lambda program: ["env", "-u", "PYTHONPATH", "sh", "-c", text, program]


def _python(source: str) -> Callable[[str], Sequence[str]]:
    return lambda program: ["env", "-u", "PYTHONPATH", program, "-c", source]


def _gemini_home(_cwd: Path, home: Path) -> None:
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (home / ".gemini").mkdir(exist_ok=True)
    (home / ".gemini/settings.json").write_text(json.dumps(settings))


_OPENCODE = """
cat > "$HOME/opencode.json" <<END
{"$schema": "https://opencode.ai/config.json", "model": "fake/m",
 "permission": {"edit": "allow", "bash": "allow"},
 "provider": {"fake": {"npm": "@ai-sdk/openai-compatible", "name": "fake",
  "options": {"baseURL": "$OPENAI_BASE_URL", "apiKey": "x"}, "models": {"m": {"name": "m"}}}}}
END
OPENCODE_CONFIG="$HOME/opencode.json" exec "$0" run -m fake/m "TASK"
"""
_LLM = """
mkdir -p "$HOME/llm"
cat > "$HOME/llm/extra-openai-models.yaml" <<END
- model_id: fake
  model_name: m
  api_base: $OPENAI_BASE_URL
  supports_tools: true
END
LLM_USER_PATH="$HOME/llm" exec "$0" -m fake --no-stream --functions '
def write(path: str, content: str) -> str:
    "write a file"
    open(path, "w").write(content)
    return "ok"
' "TASK"
"""
_CODEX = """
exec "$0" exec -c model_provider=fake -c 'model_providers.fake.name="fake"' \
 -c "model_providers.fake.base_url=\\"$OPENAI_BASE_URL\\"" \
 -c 'model_providers.fake.env_key="OPENAI_API_KEY"' -c 'model_providers.fake.wire_api="responses"' \
 -m gpt-5 --json --dangerously-bypass-approvals-and-sandbox "TASK"
"""
_CLAUDE = """
exec "$0" -p "TASK" --output-format json --dangerously-skip-permissions
"""
_PYDANTIC_AI = """
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel

agent = Agent(OpenAIChatModel("m"))

@agent.tool_plain
def write(path: str, content: str) -> str:
    "write a file"
    open(path, "w").write(content)
    return "ok"

print(agent.run_sync("TASK").output)
"""
_OPENAI_AGENTS = """
from agents import Agent, Runner, function_tool

@function_tool
def write(path: str, content: str) -> str:
    "write a file"
    open(path, "w").write(content)
    return "ok"

print(Runner.run_sync(Agent(name="a", model="m", tools=[write]), "TASK").final_output)
"""
_SMOLAGENTS = """
import os
from smolagents import OpenAIServerModel, ToolCallingAgent, tool

@tool
def write(path: str, content: str) -> str:
    '''write a file

    Args:
        path: where
        content: what
    '''
    open(path, "w").write(content)
    return "ok"

model = OpenAIServerModel("m", api_base=os.environ["OPENAI_BASE_URL"], api_key="x")
print(ToolCallingAgent(tools=[write], model=model, max_steps=4).run("TASK"))
"""
_LANGGRAPH = """
import os
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.prebuilt import create_react_agent

@tool
def write(path: str, content: str) -> str:
    "write a file"
    open(path, "w").write(content)
    return "ok"

model = ChatOpenAI(model="m", base_url=os.environ["OPENAI_BASE_URL"])
done = create_react_agent(model, [write]).invoke({"messages": [("user", "TASK")]})
print(done["messages"][-1].content)
"""


def _script(source: str) -> Callable[[str], Sequence[str]]:
    """Return a command that runs a Python program from a file, which it may read."""
    text = f"cat > $HOME/program.py <<'END'\n{source}\nEND\nexec \"$0\" $HOME/program.py\n"
    return _shell(text)


def _with_task(text: str) -> str:
    return text.replace("TASK", TASK)


def _with_sdk(api: str) -> str:
    """Return a line of shell for the official SDK: sync, async, and both as streams."""
    return f'PYTHONPATH="{ROOT}" "$0" -B -m tests.support.sdk_program {api} || exit\n'


_NODE = "node_modules/.bin"
PROGRAMS = (
    ClientProgram(
        "claude-code",
        f"node_modules/@anthropic-ai/claude-code-{this_platform()}/claude",
        _shell(_with_task(_CLAUDE)),
        {"IS_SANDBOX": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    ),
    ClientProgram(
        "codex",
        f"{_NODE}/codex",
        _shell(_with_task(_CODEX)),
    ),
    ClientProgram(
        "gemini-cli",
        f"{_NODE}/gemini",
        _shell(f'exec "$0" -p "{TASK}" -m gemini-2.5-pro --yolo -o json'),
        {"GEMINI_CLI_TRUST_WORKSPACE": "true"},
        _gemini_home,
    ),
    ClientProgram(
        "opencode-ai",
        f"node_modules/opencode-{this_platform()}/bin/opencode",
        _shell(_with_task(_OPENCODE)),
        {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"},
    ),
    ClientProgram(
        "aider",
        "bin/aider",
        _shell(
            f'exec "$0" --message "{TASK}" --model openai/m --yes-always --no-check-update '
            "--analytics-disable --no-show-model-warnings --no-auto-commits --no-gitignore out.txt"
        ),
        asks=1,
    ),
    ClientProgram("llm", "bin/llm", _shell(_with_task(_LLM))),
    ClientProgram(
        "pydantic-ai",
        "bin/python",
        _python(_with_task(_PYDANTIC_AI)),
    ),
    ClientProgram(
        "openai-agents",
        "bin/python",
        _python(_with_task(_OPENAI_AGENTS)),
        {"OPENAI_AGENTS_DISABLE_TRACING": "1"},
    ),
    ClientProgram(
        "smolagents",
        "bin/python",
        _script(_with_task(_SMOLAGENTS)),
    ),
    ClientProgram(
        "langgraph",
        "bin/python",
        _python(_with_task(_LANGGRAPH)),
    ),
    ClientProgram(
        "mini-swe-agent",
        "bin/mini",
        _shell(f'exec "$0" -t "{TASK}" -m openai/m -y --exit-immediately -l 0'),
        {"MSWEA_CONFIGURED": "true", "MSWEA_COST_TRACKING": "ignore_errors"},
    ),
    ClientProgram(
        "openai-sdk",
        "bin/python",
        _shell(_with_sdk("openai") + _with_sdk("responses")),
        asks=16,
    ),
    ClientProgram("anthropic-sdk", "bin/python", _shell(_with_sdk("anthropic")), asks=8),
)
BY_NAME = {program.name: program for program in PROGRAMS}
