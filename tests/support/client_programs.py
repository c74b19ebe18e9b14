"""Agent programs from npm and PyPI as clients of the proxy: how each is installed and called.

They are installed into a cache folder outside of the repository (`AGENTCI_CLIENTS`, by default
below the user's cache), npm ones without their install scripts, PyPI ones in a venv each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(os.environ.get("AGENTCI_CLIENTS") or Path.home() / ".cache" / "agentci-clients")
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
    kind: str
    """`npm` or `pypi`."""
    packages: tuple[str, ...]
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
    def folder(self) -> Path:
        """Where it is installed."""
        return CACHE / self.kind / self.name

    def install(self) -> str:
        """Install the program unless it is there, and return its path."""
        done = self.folder / ".installed"
        wanted = "\n".join(self.packages)
        if not done.exists() or done.read_text() != wanted:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            if self.kind == "npm":
                options = ("--ignore-scripts", "--no-audit", "--no-fund")
                _call("npm", "install", *options, *self.packages, folder=self.folder)
            else:
                _call(sys.executable, "-m", "venv", ".", folder=self.folder)
                _call("bin/pip", "install", "-q", *self.packages, folder=self.folder)
            done.write_text(wanted)
        return str(self.folder / self.program)


def fill(program: ClientProgram, cwd: Path, home: Path) -> None:
    """Make the working directory a repository of two files, and fill HOME."""
    if not (cwd / ".git").exists():
        (cwd / "readme.txt").write_text("a project\n")
        (cwd / "main.py").write_text("print(1)\n")
        env = {"PATH": os.environ["PATH"], "HOME": str(home), **_GIT}
        for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
            subprocess.run(["git", *arguments], cwd=cwd, env=env, check=True)
    program.prepare(cwd, home)


def _call(*argv: str, folder: Path) -> None:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr[-2000:]}"


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


_NODE = "node_modules/.bin"
PROGRAMS = (
    ClientProgram(
        "claude-code",
        "npm",
        ("@anthropic-ai/claude-code@2.1.197",),
        "node_modules/@anthropic-ai/claude-code-linux-x64/claude",
        _shell(_with_task(_CLAUDE)),
        {"IS_SANDBOX": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    ),
    ClientProgram(
        "codex",
        "npm",
        ("@openai/codex@0.169.0",),
        f"{_NODE}/codex",
        _shell(_with_task(_CODEX)),
    ),
    ClientProgram(
        "gemini-cli",
        "npm",
        ("@google/gemini-cli@0.61.0",),
        f"{_NODE}/gemini",
        _shell(f'exec "$0" -p "{TASK}" -m gemini-2.5-pro --yolo -o json'),
        {"GEMINI_CLI_TRUST_WORKSPACE": "true"},
        _gemini_home,
    ),
    ClientProgram(
        "opencode-ai",
        "npm",
        ("opencode-ai@1.18.33",),
        "node_modules/opencode-linux-x64/bin/opencode",
        _shell(_with_task(_OPENCODE)),
        {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"},
    ),
    ClientProgram(
        "aider",
        "pypi",
        ("aider-chat==0.86.2",),
        "bin/aider",
        _shell(
            f'exec "$0" --message "{TASK}" --model openai/m --yes-always --no-check-update '
            "--analytics-disable --no-show-model-warnings --no-auto-commits --no-gitignore out.txt"
        ),
        asks=1,
    ),
    ClientProgram("llm", "pypi", ("llm==0.36",), "bin/llm", _shell(_with_task(_LLM))),
    ClientProgram(
        "pydantic-ai",
        "pypi",
        ("pydantic-ai-slim[openai]==2.68.0",),
        "bin/python",
        _python(_with_task(_PYDANTIC_AI)),
    ),
    ClientProgram(
        "openai-agents",
        "pypi",
        ("openai-agents==0.24.0",),
        "bin/python",
        _python(_with_task(_OPENAI_AGENTS)),
        {"OPENAI_AGENTS_DISABLE_TRACING": "1"},
    ),
    ClientProgram(
        "smolagents",
        "pypi",
        ("smolagents[openai]==1.26.0",),
        "bin/python",
        _script(_with_task(_SMOLAGENTS)),
    ),
    ClientProgram(
        "langgraph",
        "pypi",
        ("langgraph==1.2.22", "langchain-openai==1.7.3"),
        "bin/python",
        _python(_with_task(_LANGGRAPH)),
    ),
    ClientProgram(
        "mini-swe-agent",
        "pypi",
        ("mini-swe-agent==2.4.6", "mcp"),
        "bin/mini",
        _shell(f'exec "$0" -t "{TASK}" -m openai/m -y --exit-immediately -l 0'),
        {"MSWEA_CONFIGURED": "true", "MSWEA_COST_TRACKING": "ignore_errors"},
    ),
)
BY_NAME = {program.name: program for program in PROGRAMS}
