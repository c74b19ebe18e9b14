"""The toolbox of an agent: checks its calls, serves recorded ones, records the others.

A call's identity is the tool with its version, the arguments and the git tree that it sees; its
record holds the answer and the effect on files. This module knows no particular tool and no model.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest
from agentci.core.effects import TreeChange
from agentci.core.errors import CassetteMiss, FormatError, SafetyRefusal
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import ToolCallPart, ToolDefinition, ToolResultPart
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.tools.json_schema import describe, violations
from agentci.tools.protocol import Tool, ToolContext, ToolOutcome, ToolProblem
from agentci.tools.registry import definition_of, load_tool

UNPARSED_ARGUMENTS: Final = "__unparsed__"
"""The key under which a dialect hands over arguments that were not a JSON object."""


class ToolSession(Protocol):
    """What a toolbox needs of `record.session.RecordingSession`."""

    @property
    def mode(self) -> str:
        """`auto`, `replay`, `record` or `live`."""

    @property
    def can_record(self) -> bool:
        """Whether a miss may be executed and recorded."""

    def as_recorded(self, request: JsonObject, lane: Lane) -> JsonObject:
        """Return a request as it is keyed and stored."""

    def reserve(self, lane: Lane, key: Digest) -> Address:
        """Give a call its address, in the order of the calls."""

    def lookup(self, address: Address) -> Interaction | None:
        """Return the recording and mark it as played."""

    def miss(self, address: Address, request: JsonObject, kind: Literal["tool"]) -> CassetteMiss:
        """Return the explained error for a call without a recording."""

    def append(self, interaction: Interaction) -> Interaction:
        """Record a call, and return it as it was kept."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A recorded call that, executed again, did something else."""

    address: Address
    tool: str
    field: Literal["content", "is_error", "tree"]
    recorded: str
    executed: str


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a call answered and did to the files."""

    outcome: ToolOutcome
    change: TreeChange


class Toolbox:
    """The tools of one agent in one workspace. Calls of one toolbox are made one after another."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        context: ToolContext,
        session: ToolSession,
        execute: bool = False,
    ) -> None:
        """Load the tools `names`; with `execute`, recorded calls are executed too and compared.

        Raises:
            UsageError: when there is no such tool.
        """
        self._tools: Mapping[str, Tool] = {name: load_tool(name) for name in names}
        self._context = context
        self._session = session
        self._execute = execute
        self._differences: list[Difference] = []

    @property
    def definitions(self) -> tuple[ToolDefinition, ...]:
        """The tools as a model sees them, in the order of the definition."""
        return tuple(definition_of(tool) for tool in self._tools.values())

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What executed again came out differently, in the order of the calls."""
        return tuple(self._differences)

    async def call(self, part: ToolCallPart, *, lane: Lane) -> ToolResultPart:
        """Serve a call of a model. Whatever the model did wrong is a result with `is_error`.

        Raises:
            CassetteMiss: when there is no recording and none can be made.
            Diverged: when a recorded effect does not fit the files.
            SafetyRefusal: when the sandbox is not available, or a pure tool changed files.
        """
        tool = self._tools.get(part.name)
        if tool is None:
            return _result(part, ToolOutcome(self._unknown(part.name), is_error=True))
        problem = _argument_problem(tool, part.arguments)
        if problem is None:
            problem = tool.refuse(part.arguments, self._context)
        if problem is not None:
            return _result(part, ToolOutcome(problem, is_error=True))
        return _result(part, await self._serve(tool, part.arguments, lane=lane))

    def _unknown(self, name: str) -> str:
        if not self._tools:
            return f"there is no tool `{name}`; there are no tools here"
        return f"there is no tool `{name}`; there are {', '.join(f'`{n}`' for n in self._tools)}"

    async def _serve(self, tool: Tool, arguments: JsonObject, *, lane: Lane) -> ToolOutcome:
        request: JsonObject = {
            "tool": tool.name,
            "version": tool.version,
            "arguments": arguments,
            "tree": self._context.workspace.tree,
        }
        if self._session.mode == "live":
            return (await self._run(tool, arguments)).outcome
        request = self._session.as_recorded(request, lane)
        address = self._session.reserve(lane, interaction_key(request))
        recorded = self._session.lookup(address)
        if recorded is not None:
            return await self._replay(tool, arguments, recorded)
        if not self._session.can_record:
            raise self._session.miss(address, request, "tool")
        effect = await self._run(tool, arguments)
        kept = self._session.append(
            Interaction(
                address=address,
                kind="tool",
                request=request,
                response=_stored(effect),
                notes={"masked": dict(effect.outcome.masked)} if effect.outcome.masked else {},
            )
        )
        return _loaded(kept.response, effect.change.after).outcome

    async def _replay(
        self, tool: Tool, arguments: JsonObject, recorded: Interaction
    ) -> ToolOutcome:
        effect = _loaded(recorded.response, self._context.workspace.tree)
        workspace = self._context.workspace
        if self._execute:
            executed = await self._run(tool, arguments)
            self._compare(tool, recorded.address, recorded=effect, executed=executed)
            if executed.change.after == effect.change.after:
                return effect.outcome
            workspace.reset(effect.change.before)
        if effect.change.before != effect.change.after:
            workspace.apply(effect.change)
        return effect.outcome

    async def _run(self, tool: Tool, arguments: JsonObject) -> _Effect:
        workspace = self._context.workspace
        before = workspace.tree
        try:
            outcome = await tool.run(arguments, self._context)
        except ToolProblem as problem:
            outcome = ToolOutcome(str(problem), is_error=True)
        if tool.effect == "pure" and tool.name in _READ_ONLY:
            return _Effect(outcome, TreeChange(before, before, b""))
        change = workspace.snapshot()
        if tool.effect == "pure" and change.before != change.after:
            workspace.reset(before)
            raise SafetyRefusal(
                f"the tool `{tool.name}` is declared `pure` but changed files",
                code="ACI-P142",
                hint="declare its effect as `workspace`, or stop using it",
            )
        return _Effect(outcome, change)

    def _compare(
        self, tool: Tool, address: Address, *, recorded: _Effect, executed: _Effect
    ) -> None:
        pairs: tuple[tuple[Literal["content", "is_error", "tree"], str, str], ...] = (
            ("content", recorded.outcome.content, executed.outcome.content),
            ("is_error", str(recorded.outcome.is_error), str(executed.outcome.is_error)),
            ("tree", recorded.change.after, executed.change.after),
        )
        self._differences.extend(
            Difference(address, tool.name, name, old, new) for name, old, new in pairs if old != new
        )


_READ_ONLY: Final = frozenset({"list_files", "read_file", "search"})
"""Our own tools that open nothing for writing: there a snapshot would check what cannot be."""


def _argument_problem(tool: Tool, arguments: JsonObject) -> str | None:
    """Say in words for the model why `arguments` cannot be used, or None when they can."""
    if UNPARSED_ARGUMENTS in arguments:
        return f"the arguments of `{tool.name}` are not a JSON object; call it again"
    try:
        canonical_bytes(arguments).decode("utf-8")
    except (ValueError, TypeError, RecursionError):
        return f"the arguments of `{tool.name}` have text or numbers that JSON cannot carry"
    found = violations(tool.parameters, arguments)
    if not found:
        return None
    return f"the arguments of `{tool.name}` do not fit:\n{describe(found)}"


def _result(part: ToolCallPart, outcome: ToolOutcome) -> ToolResultPart:
    return ToolResultPart(part.id, part.name, outcome.content, outcome.is_error)


def _stored(effect: _Effect) -> JsonObject:
    """Return `effect` as a recording keeps it; the trees and the patch where files changed."""
    change = effect.change
    stored: dict[str, JsonValue] = {
        "content": effect.outcome.content,
        "is_error": effect.outcome.is_error,
    }
    if change.before == change.after:
        return stored
    patch: JsonValue
    try:
        patch = change.patch.decode("utf-8")
    except UnicodeDecodeError:  # text files in another encoding are text for git
        patch = {"base64": b64encode(change.patch).decode("ascii")}
    return {**stored, "before": change.before, "after": change.after, "patch": patch}


def _loaded(stored: JsonObject, tree: str) -> _Effect:
    """Return what `_stored` was given; `tree` is where a call without effect leaves the files."""
    content, is_error = stored.get("content"), stored.get("is_error")
    before, after = stored.get("before", tree), stored.get("after", tree)
    if not (isinstance(content, str) and isinstance(is_error, bool)):
        raise _damaged("its answer is missing")
    if not (isinstance(before, str) and isinstance(after, str)):
        raise _damaged("its trees are missing")
    patch = _patch_bytes(stored.get("patch", ""))
    return _Effect(ToolOutcome(content, is_error), TreeChange(before, after, patch))


def _patch_bytes(value: JsonValue) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    encoded = value.get("base64") if isinstance(value, Mapping) else None
    if not isinstance(encoded, str):
        raise _damaged("its patch is missing")
    try:
        return b64decode(encoded, validate=True)
    except ValueError as error:
        raise _damaged("its patch is not base64") from error


def _damaged(reason: str) -> FormatError:
    return FormatError(
        f"a recorded tool call cannot be read: {reason}",
        code="ACI-F140",
        hint="record it again with `agentci run --mode record`",
    )
