"""One trial of a client: record its task, stop the server, replay it elsewhere three times.

    python -m tests.support.client_trial NAME FOLDER [--alone]

With `--alone`, the process is in a network namespace of its own, whose loopback it brings up, and
sees to it that nothing else can be reached. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from agentci.core.json_types import JsonObject
from agentci.core.messages import ModelRequest, ModelResponse
from tests.support.client_programs import BY_NAME, SHELL_COMMAND, fill
from tests.support.empty_network import bring_loopback_up, is_empty
from tests.support.model_server import ModelServer
from tests.support.recorded_programs import ProgramBench, answer, record_and_replay

_AIDER = "out.txt\n```\nhello\n```\n"
_SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
_SHELLS: dict[str, JsonObject] = {
    "Bash": {"command": SHELL_COMMAND, "description": "write the file"},
    "exec_command": {"cmd": SHELL_COMMAND},
    "shell": {"command": ["bash", "-lc", SHELL_COMMAND]},
    "shell_command": {"command": SHELL_COMMAND},
    "run_shell_command": {"command": SHELL_COMMAND, "description": "write the file"},
    "bash": {"command": SHELL_COMMAND, "description": "write the file"},
    "write": {"path": "out.txt", "content": "hello\n"},
}
"""What a model calls to write the file, by the tool that a client offers; the first one counts."""


def respond(request: ModelRequest, _number: int) -> ModelResponse:
    """Answer as a model that does the task with whatever tools it is offered."""
    names = {tool.name for tool in request.tools}
    ran = any(m.role == "tool" or "Observation:" in m.text for m in request.messages)
    if not ran:
        for name, arguments in _SHELLS.items():
            if name in names:
                return answer(call=(name, arguments))
    if "final_answer" in names:
        return answer(call=("final_answer", {"answer": "done"}))
    if "bash" in names and len(names) == 1 and not _submitted(request):
        return answer(call=("bash", {"command": _SUBMIT}))
    if not names and "path/to/filename" in request.system + request.messages[0].text:
        return answer(text=_AIDER)
    return answer(text="done")


def _submitted(request: ModelRequest) -> bool:
    return any(_SUBMIT in str(call.arguments) for m in request.messages for call in m.tool_calls)


def plain(body: Any) -> Any:
    """Return a request without what only this client and its provider know of."""
    body = dict(body)
    if "messages" in body and "max_tokens" in body:
        body["messages"] = [each for each in body["messages"] if each["role"] != "system"]
    if isinstance(body.get("input"), list):
        known = {"message", "function_call", "function_call_output"}
        body["input"] = [each for each in body["input"] if each.get("type", "message") in known]
    if "tools" in body:
        body["tools"] = [
            tool
            for tool in body["tools"]
            if {"parameters", "input_schema", "function", "functionDeclarations"} & set(tool)
        ]
    return body


def trial(name: str, folder: Path) -> dict[str, object]:
    """Do the trial and return what is worth knowing."""
    program = BY_NAME[name]
    bench = ProgramBench(folder, partial(fill, program), program.environment)
    with ModelServer(respond, adapt=plain) as server:
        recorded = record_and_replay(bench, server, program.argv)
    return {
        "name": name,
        "calls": len(bench.keys()),
        "files": {path: data.decode() for path, data in recorded.files.items()},
        "out": recorded.out[-500:],
    }


if __name__ == "__main__":
    if "--alone" in sys.argv:
        bring_loopback_up()
        assert is_empty(), "another machine can be reached"
    sys.stdout.write(json.dumps(trial(sys.argv[1], Path(sys.argv[2]))))
