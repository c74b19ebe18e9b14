"""A small agent on an official SDK, run as a child process by the tests of the proxy.

    python -m tests.support.sdk_program (openai|responses|anthropic|gemini) [WAY...]

For each way to call (sync, async, stream, async-stream; all of them where none is given) it is told
where it works, writes the file that the model asks for, and prints the last answer.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
    "required": ["path", "content"],
}
WAYS = ("sync", "async", "stream", "async-stream")


async def settled(value: Any) -> Any:
    """Return what a client of either kind has given."""
    return await value if inspect.isawaitable(value) else value


async def events(stream: Any) -> AsyncIterator[Any]:
    """Yield the events of a stream of either kind."""
    if hasattr(stream, "__aiter__"):
        async for event in stream:
            yield event
    else:
        for event in stream:
            yield event


def write(arguments: dict[str, str]) -> str:
    path = Path(arguments["path"])
    path.write_text(arguments["content"])
    return f"wrote {path}"


async def openai(client: Any, task: str, stream: bool) -> str:
    tool = {"type": "function", "function": {"name": "write", "parameters": SCHEMA}}
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    while True:
        answer = await settled(
            client.chat.completions.create(
                model="m", messages=messages, tools=[tool], **({"stream": True} if stream else {})
            )
        )
        text = ""
        calls: dict[int, dict[str, str]] = {}
        if stream:
            async for event in events(answer):
                for choice in event.choices:
                    text += choice.delta.content or ""
                    for call in choice.delta.tool_calls or ():
                        found = calls.setdefault(call.index, {"id": "", "name": "", "args": ""})
                        found["id"] += call.id or ""
                        found["name"] += call.function.name or ""
                        found["args"] += call.function.arguments or ""
        else:
            message = answer.choices[0].message
            text = message.content or ""
            for index, call in enumerate(message.tool_calls or ()):
                function = call.function
                calls[index] = {"id": call.id, "name": function.name, "args": function.arguments}
        if not calls:
            return text
        messages.append(
            {
                "role": "assistant",
                "content": text or None,
                "tool_calls": [
                    {
                        "id": call["id"],
                        "type": "function",
                        "function": {"name": call["name"], "arguments": call["args"]},
                    }
                    for call in calls.values()
                ],
            }
        )
        for call in calls.values():
            result = write(json.loads(call["args"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


async def responses(client: Any, task: str, stream: bool) -> str:
    tool = {"type": "function", "name": "write", "parameters": SCHEMA, "strict": False}
    items: list[Any] = [{"role": "user", "content": task}]
    while True:
        answer = await settled(
            client.responses.create(
                model="m", input=items, tools=[tool], **({"stream": True} if stream else {})
            )
        )
        if stream:
            final = None
            async for event in events(answer):
                if event.type == "response.completed":
                    final = event.response
            answer = final
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return str(answer.output_text)
        items += [item.model_dump(exclude_none=True) for item in answer.output]
        for call in calls:
            result = write(json.loads(call.arguments))
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": result}
            )


async def anthropic(client: Any, task: str, stream: bool) -> str:
    tool = {"name": "write", "input_schema": SCHEMA}
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    request = {"model": "m", "max_tokens": 100, "tools": [tool], "messages": messages}
    while True:
        live = client.messages.stream(**request) if stream else None
        if live is None:
            answer = await settled(client.messages.create(**request))
        elif hasattr(live, "__aenter__"):
            async with live as entered:
                answer = await entered.get_final_message()
        else:
            with live as entered:
                answer = entered.get_final_message()
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in answer.content if block.type == "text")
        content = [block.model_dump(exclude_none=True) for block in answer.content]
        messages.append({"role": "assistant", "content": content})
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": write(dict(call.input))}
            for call in calls
        ]
        messages.append({"role": "user", "content": results})


async def gemini(client: Any, task: str, stream: bool) -> str:
    from google.genai import types  # noqa: PLC0415 - a program has one SDK

    function = {"name": "write", "description": "write a file", "parameters_json_schema": SCHEMA}
    config = {"tools": [{"function_declarations": [function]}]}
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=task)])]
    while True:
        request = {"model": "m", "contents": contents, "config": config}
        parts: list[Any] = []
        if stream:
            live = await settled(client.models.generate_content_stream(**request))
            async for event in events(live):
                parts += event.candidates[0].content.parts or []
        else:
            answer = await settled(client.models.generate_content(**request))
            parts = answer.candidates[0].content.parts
        calls = [part.function_call for part in parts if part.function_call]
        if not calls:
            return "".join(part.text or "" for part in parts)
        contents.append(types.Content(role="model", parts=parts))
        results = [
            types.Part.from_function_response(
                name=call.name, response={"result": write(dict(call.args))}
            )
            for call in calls
        ]
        contents.append(types.Content(role="user", parts=results))


def client_of(api: str, is_async: bool) -> Any:
    if api == "anthropic":
        import anthropic as sdk  # noqa: PLC0415

        return sdk.AsyncAnthropic() if is_async else sdk.Anthropic()
    if api == "gemini":
        from google import genai  # noqa: PLC0415

        client = genai.Client()
        return client.aio if is_async else client
    import openai as openai_sdk  # noqa: PLC0415

    return openai_sdk.AsyncOpenAI() if is_async else openai_sdk.OpenAI()


async def main() -> None:
    api, *ways = sys.argv[1:]
    work = {"openai": openai, "responses": responses, "anthropic": anthropic, "gemini": gemini}[api]
    for way in ways or WAYS:
        client = client_of(api, way.startswith("async"))
        task = f"You work in {Path.cwd()}. Write out.txt by {way} calls, then say where it is."
        print(way, await work(client, task, way.endswith("stream")))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
