"""The server side of OpenAI Responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    Role,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from tests.support.wire_common import (
    CREATED,
    BadRequest,
    Reply,
    arguments_of,
    compact,
    data_url_part,
    event,
    need,
    pieces,
)


class OpenAiResponsesServer:
    """See `ServerSide`."""

    def read(self, path: str, body: Mapping[str, Any]) -> ModelRequest:
        del path
        if "seed" in body:
            raise BadRequest("Unknown parameter: 'seed'.")
        items = body.get("input")
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        if not isinstance(items, list):
            raise BadRequest("Missing required parameter: 'input'.")
        system = [body["instructions"]] if body.get("instructions") else []
        names: dict[str, str] = {}
        messages: list[Message] = []
        for item in items:
            if item.get("role") in {"system", "developer"}:
                system.append("".join(getattr(p, "text", "") for p in _content(item["content"])))
                continue
            role, parts = _item(item, names)
            if messages and messages[-1].role == role:
                parts = messages.pop().parts + parts
            messages.append(Message(role, parts))
        form = (body.get("text") or {}).get("format") or {}
        return ModelRequest(
            model=need(body, "model", str),
            messages=tuple(messages),
            system="\n\n".join(system),
            tools=tuple(
                ToolDefinition(tool["name"], tool.get("description") or "", tool["parameters"])
                for tool in body.get("tools", ())
            ),
            output_schema=form.get("schema"),
            stream=bool(body.get("stream")),
        )

    def answer(self, reply: Reply) -> dict[str, Any]:
        response = reply.response
        short = response.finish_reason is FinishReason.LENGTH
        return {
            **_envelope(reply),
            "status": "incomplete" if short else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if short else None,
            "output": [_complete(item) for item in _output(reply)],
            "usage": _usage(response),
        }

    def events(self, reply: Reply) -> Iterator[str]:
        waiting = {
            **_envelope(reply),
            "status": "in_progress",
            "incomplete_details": None,
            "output": [],
            "usage": None,
        }
        answer = self.answer(reply)
        steps: list[tuple[str, dict[str, Any]]] = [
            ("created", {"response": waiting}),
            ("in_progress", {"response": waiting}),
            *_output_steps(reply),
            (answer["status"], {"response": answer}),
        ]
        for number, (name, data) in enumerate(steps):
            kind = f"response.{name}"
            yield event({"type": kind, "sequence_number": number, **data}, kind)

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}


Step: TypeAlias = tuple[str, dict[str, Any]]
"""The name of an event without `response.`, and its data."""


def _output_steps(reply: Reply) -> Iterator[Step]:
    for index, item in enumerate(_output(reply)):
        place = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "function_call":
                steps = _call_steps(item, place)
            case "reasoning":
                steps = _reasoning_steps(item, place)
            case _:
                steps = _message_steps(item, place)
        yield from steps
        yield "output_item.done", {"output_index": index, "item": _complete(item)}


def _added(item: dict[str, Any], place: dict[str, Any], **blank: Any) -> Step:
    opened = item if item["type"] == "reasoning" else {**item, "status": "in_progress"}
    data = {"output_index": place["output_index"], "item": {**opened, **blank}}
    return "output_item.added", data


def _call_steps(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Step]:
    yield _added(item, place, arguments="")
    for piece in pieces(item["arguments"]):
        yield "function_call_arguments.delta", {**place, "delta": piece}
    yield "function_call_arguments.done", {**place, "arguments": item["arguments"]}


def _reasoning_steps(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Step]:
    yield _added(item, place, summary=[])
    place = {**place, "summary_index": 0}
    part = item["summary"][0]
    yield "reasoning_summary_part.added", {**place, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield "reasoning_summary_text.delta", {**place, "delta": piece}
    yield "reasoning_summary_text.done", {**place, "text": part["text"]}
    yield "reasoning_summary_part.done", {**place, "part": part}


def _message_steps(item: dict[str, Any], place: dict[str, Any]) -> Iterator[Step]:
    yield _added(item, place, content=[])
    place = {**place, "content_index": 0}
    part = item["content"][0]
    field = "text" if part["type"] == "output_text" else "refusal"
    name = "output_text" if field == "text" else "refusal"
    yield "content_part.added", {**place, "part": {**part, field: ""}}
    for piece in pieces(part[field]):
        yield f"{name}.delta", {**place, "delta": piece}
    yield f"{name}.done", {**place, field: part[field]}
    yield "content_part.done", {**place, "part": part}


def _envelope(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"resp_{reply.identity[:48]}",
        "object": "response",
        "created_at": CREATED,
        "error": None,
        "instructions": None,
        "metadata": {},
        "model": reply.response.model,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    }


def _usage(response: ModelResponse) -> dict[str, Any]:
    usage = response.usage
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.tokens,
    }


def _output(reply: Reply) -> Iterator[dict[str, Any]]:
    refused = reply.response.finish_reason is FinishReason.REFUSED
    for index, part in enumerate(reply.response.message.parts):
        tail = f"{reply.identity[:46]}{index:02d}"
        if isinstance(part, ThinkingPart):
            summary = [{"type": "summary_text", "text": part.text}]
            yield {"type": "reasoning", "id": f"rs_{tail}", "summary": summary}
        elif isinstance(part, TextPart):
            content: dict[str, Any] = {
                "type": "output_text",
                "text": part.text,
                "annotations": [],
                "logprobs": [],
            }
            if refused:
                content = {"type": "refusal", "refusal": part.text}
            yield {
                "type": "message",
                "id": f"msg_{tail}",
                "role": "assistant",
                "content": [content],
            }
        elif isinstance(part, ToolCallPart):
            yield {
                "type": "function_call",
                "id": f"fc_{tail}",
                "call_id": part.id,
                "name": part.name,
                "arguments": compact(part.arguments),
            }


def _complete(item: dict[str, Any]) -> dict[str, Any]:
    return item if item["type"] == "reasoning" else {**item, "status": "completed"}


def _item(item: Mapping[str, Any], names: dict[str, str]) -> tuple[Role, tuple[Part, ...]]:
    kind = item.get("type", "message")
    if kind == "function_call":
        names[item["call_id"]] = item["name"]
        arguments = arguments_of(item["arguments"])
        return "assistant", (ToolCallPart(item["call_id"], item["name"], arguments),)
    if kind == "function_call_output":
        call_id = item["call_id"]
        return "tool", (ToolResultPart(call_id, names.get(call_id, ""), item["output"]),)
    if kind == "reasoning":
        text = "".join(piece["text"] for piece in item.get("summary", ()))
        return "assistant", (ThinkingPart(text, item.get("encrypted_content")),)
    if kind != "message" or item.get("role") not in {"user", "assistant"}:
        raise BadRequest(f"Invalid value: '{kind}' in 'input'.")
    return item["role"], _content(item["content"])


def _content(content: Any) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(_part(piece) for piece in content)


def _part(piece: Mapping[str, Any]) -> Part:
    match piece.get("type"):
        case "input_text" | "output_text":
            return TextPart(piece["text"])
        case "refusal":
            return TextPart(piece["refusal"])
        case "input_image":
            return data_url_part("image", piece["image_url"])
        case "input_file":
            return data_url_part("file", piece["file_data"], piece.get("filename"))
        case other:
            raise BadRequest(f"Invalid value: '{other}' in 'content'.")
