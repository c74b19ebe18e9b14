"""Prompts of a promptfoo config as prompt files of agentci, for text and chats."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agentci.core.errors import StorageError
from agentci.core.json_types import JsonValue
from agentci.evals.datasets.json_text import decode_text
from agentci.evals.importers.findings import Notes, NotImportable, ReadFile
from agentci.evals.importers.foreign_documents import PREFIX, Spot, read_spot, referenced
from agentci.evals.importers.nunjucks import Reference, looked_up, mapped, written

_FILES: Final = (".txt", ".md", ".j2", ".json", ".yaml", ".yml")
_DELIMITER: Final = "---"
_RESERVED: Final = frozenset(
    {
        "cycler", "dict", "false", "joiner", "lipsum", "loop", "namespace", "none", "null", "range",
        "self", "super", "true", "varargs",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForeignPrompt:
    """A prompt: what a user says, and instructions."""

    name: str
    user: str
    """For agentci's templates."""
    system: str | None


@dataclass(slots=True)
class PromptValues:
    """The values that prompts name, each under a name that agentci's templates can have."""

    names: dict[Reference, str] = field(default_factory=dict)

    def name_of(self, reference: Reference) -> str:
        """Return the name of a value in templates; the same for the same value."""
        if reference not in self.names:
            parts = [reference.name, *map(str, reference.path)]
            plain = re.sub(r"\W", "_", "_".join(parts), flags=re.ASCII)
            taken = set(self.names.values())
            reserved = keyword.iskeyword(plain) or plain.lower() in _RESERVED
            name = f"{plain}_value" if reserved or plain.startswith("_") else plain
            while name.startswith("_") or name in taken:
                name = f"v{name}" if name.startswith("_") else f"{name}_"
            self.names[reference] = name
        return self.names[reference]

    def of(self, variables: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return the values for one test, as texts."""
        return {
            name: written(looked_up(reference, variables)) for reference, name in self.names.items()
        }


@dataclass(frozen=True, slots=True)
class PromptReader:
    """Reads the prompts of one config."""

    config: Spot
    read: ReadFile
    notes: Notes
    values: PromptValues

    def prompts(self) -> tuple[ForeignPrompt, ...]:
        """Return the prompts; those that cannot be taken over are noted."""
        found: list[ForeignPrompt] = []
        for spot in self.config.at("prompts").items():
            try:
                for raw in self._raw(spot):
                    found.append(self._prompt(raw, f"prompt-{len(found) + 1}"))
            except NotImportable as problem:
                self.notes.add(spot.place, "prompt", str(problem))
        return tuple(found)

    def _raw(self, spot: Spot) -> Sequence[str]:
        value = spot.value
        if isinstance(value, Mapping):
            odd = sorted(set(value) - {"id", "raw", "label"})
            if odd:
                raise NotImportable(f"a prompt with `{odd[0]}`")
            value = value.get("raw") or value.get("id")
        if not isinstance(value, str) or not value.strip():
            raise NotImportable("a prompt that is no text")
        if value.startswith(("portkey://", "langfuse://", "helicone://", "exec:", "package:")):
            raise NotImportable(f"a prompt from `{value.partition(':')[0]}`")
        if value.startswith(PREFIX):
            return self._from_file(value)
        if "\n" not in value and value.endswith((*_FILES, ".js", ".py", ".csv", ".jsonl")):
            try:
                return self._from_file(PREFIX + value)
            except StorageError:
                return [value]
        return [value]

    def _from_file(self, name: str) -> Sequence[str]:
        path = referenced(name)
        if not path.endswith(_FILES):
            raise NotImportable(f"prompts in a file like `{path}`")
        text = decode_text(self.read(path), file=path)
        if path.endswith(".txt"):
            return _sections(text)
        if path.endswith((".json", ".yaml", ".yml")):
            return [json.dumps(read_spot(self.read(path), path).value, ensure_ascii=False)]
        return [text]

    def _prompt(self, raw: str, name: str) -> ForeignPrompt:
        if raw.strip().startswith("- role:"):
            raise NotImportable("a chat in YAML whose values are filled in before it is read")
        try:
            parsed = json.loads(raw)
        except (ValueError, RecursionError):
            return ForeignPrompt(name, mapped(raw, self.values.name_of), None)
        return self._chat(parsed, name)

    def _chat(self, parsed: JsonValue, name: str) -> ForeignPrompt:
        texts: list[tuple[str, str]] = []
        for message in parsed if isinstance(parsed, list) else [None]:
            fields = message if isinstance(message, Mapping) else {}
            role, content = fields.get("role"), fields.get("content")
            if not isinstance(role, str) or not isinstance(content, str) or len(fields) != 2:
                raise NotImportable("a prompt in JSON that is no list of plain messages")
            texts.append((role, content))
        roles = [role for role, _ in texts]
        if roles not in (["user"], ["system", "user"]):
            raise NotImportable(f"a chat of {', '.join(roles[:5])}; `system` and `user` are read")
        *system, user = (mapped(content, self.values.name_of) for _, content in texts)
        return ForeignPrompt(name, user, system[0] if system else None)


def _sections(text: str) -> Sequence[str]:
    """Return the parts of a text file between lines with `---`, without white space around."""
    parts: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip() == _DELIMITER:
            parts.append([])
        else:
            parts[-1].append(line)
    joined = ("\n".join(part).strip() for part in parts)
    return [part for part in joined if part]
