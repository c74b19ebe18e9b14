"""Prompts and attachments."""

from __future__ import annotations

import mimetypes
from pathlib import Path

import pytest

from agentci.agents.prompt import PromptSource, build_prompt, media_type, read_attachments
from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import SpecError, StepFailed
from agentci.core.messages import BlobPart, Message, TextPart


def test_prompt_files_are_rendered_with_the_values_and_attachments_follow() -> None:
    blob = BlobPart("file", "text/plain", digest_bytes(b"x"), "x")
    prompt = build_prompt(
        PromptSource("p.md", "Fix {{ task }}.\n"),
        {"task": "it", "who": "coder"},
        system=PromptSource("s.md", "You are a {{ who }}."),
        attachments=(blob,),
    )
    assert prompt.system == "You are a coder."
    assert prompt.messages == (Message("user", (TextPart("Fix it.\n"), blob)),)
    assert build_prompt(PromptSource("p.md", "x"), {}).system == ""


def test_what_is_wrong_with_a_prompt_is_said() -> None:
    with pytest.raises(StepFailed):
        build_prompt(PromptSource("p.md", "{{ missing }}"), {})
    with pytest.raises(SpecError):
        build_prompt(PromptSource("p.md", "{{ a b }}"), {"a": 1})


KINDS = {
    "a.png": ("image", "image/png"),
    "b.JPG": ("image", "image/jpeg"),
    "c.webp": ("image", "image/webp"),
    "d.wav": ("audio", "audio/wav"),
    "e.mp3": ("audio", "audio/mpeg"),
    "f.pdf": ("file", "application/pdf"),
    "g.svg": ("file", "image/svg+xml"),
    "h.py": ("file", "text/plain"),
    "i.bin": ("file", "application/octet-stream"),
    "Makefile": ("file", "text/plain"),
    "sub/j.json": ("file", "application/json"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    for name in KINDS:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0\xff" + name.encode() if name.endswith("bin") else name.encode())
    (tmp_path / "secret").write_text("x")
    (root / "out").symlink_to("../secret")
    return root


def test_files_of_all_kinds_become_parts_and_their_bytes_are_stored(folder: Path) -> None:
    stored: dict[Digest, bytes] = {}

    def put(data: bytes) -> Digest:
        digest = digest_bytes(data)
        stored[digest] = data
        return digest

    parts = read_attachments(folder, tuple(KINDS), put_blob=put)
    assert {part.name: (part.kind, part.media_type) for part in parts} == {
        name.rpartition("/")[2]: kind for name, kind in KINDS.items()
    }
    assert [stored[part.digest] for part in parts] == [
        (folder / name).read_bytes() for name in KINDS
    ]


@pytest.mark.parametrize("path", ["missing", "../secret", "out", "sub", ".git/config"])
def test_what_cannot_be_attached_fails_the_step(folder: Path, path: str) -> None:
    with pytest.raises(StepFailed, match="cannot be sent") as caught:
        read_attachments(folder, (path,), put_blob=digest_bytes)
    assert caught.value.hint


def test_media_types_do_not_come_from_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(mimetypes, "guess_type", refuse)
    assert media_type("x.png", b"") == "image/png"
    assert media_type("x.unknown", "é".encode()) == "text/plain"
    assert media_type("x.unknown", b"a\0") == "application/octet-stream"
