"""A process that serves schemas to Terraform as if they were providers (plugin protocol 6).

It checks texts that have to be one of a list, plans what the module says, and refuses to create or
read anything. It listens on sockets in a folder of its own, says on standard output where, once it
does, and ends when its standard input does. Must not know of modules or packs.

    python -m agentci.adapters.terraform_stub SCHEMAS.json SOCKET_FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from agentci.adapters.terraform_values import (
    Fill,
    WrongValue,
    attribute_path,
    placeholder,
    planned,
    read_value,
    schema_message,
    unknown,
    value_message,
    wrong_values,
)
from agentci.spec.suggestion import did_you_mean

REGISTRY: Final = "registry.terraform.io"
_LARGEST_MESSAGE: Final = 256 * 1024 * 1024
_WORKERS: Final = 8
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
)


class SchemaProvider(rpc.ProviderServicer):  # type: ignore[misc]  # grpc has no types
    """A provider that knows what its resources look like, and nothing else."""

    def __init__(self, entry: Mapping[str, Any], fill: Fill) -> None:
        """Take `source`, `exact` and `schema` of a provider, and what is planned for it."""
        self._source: str = entry["source"]
        self._exact: bool = entry["exact"]
        self._schema: Mapping[str, Any] = entry["schema"]
        self._fill = fill

    @cached_property
    def _answer(self) -> Any:
        return pb.GetProviderSchema.Response(
            provider=schema_message(self._schema["provider"]),
            resource_schemas=self._messages("resources"),
            data_source_schemas=self._messages("data_sources"),
        )

    def _messages(self, kind: str) -> dict[str, Any]:
        return {name: schema_message(block) for name, block in self._schema[kind].items()}

    def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Answer with all schemas; the message is made once."""
        return self._answer

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Find nothing: Terraform itself has checked the schema."""
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Check what Terraform cannot: texts that have to be one of a list."""
        value = read_value(request.config)
        wrong = wrong_values(self._schema["resources"][request.type_name], value)
        return pb.ValidateResourceConfig.Response(
            diagnostics=[_not_allowed(each) for each in wrong]
        )

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Find nothing: Terraform itself has checked the schema."""
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Take any configuration; nothing is reached with it."""
        return pb.ConfigureProvider.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Have nothing to stop."""
        return pb.StopProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Keep the state as it is."""
        state = json.loads(request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=value_message(state))

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Keep the state as it is."""
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Plan what the module says."""
        block = self._schema["resources"][request.type_name]
        value = planned(
            block, read_value(request.proposed_new_state), fill=self._fill, exact=self._exact
        )
        return pb.PlanResourceChange.Response(planned_state=value_message(value))

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Refuse."""
        refusal = self._refusal(
            f"`{request.type_name}` cannot be created or changed here",
            "a test that applies needs `mock_provider`, or `command = plan`",
        )
        return pb.ApplyResourceChange.Response(new_state=request.prior_state, diagnostics=[refusal])

    def ImportResourceState(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Refuse."""
        refusal = self._refusal(
            f"`{request.type_name}` cannot be imported here", "leave `import` blocks out"
        )
        return pb.ImportResourceState.Response(diagnostics=[refusal])

    def ReadDataSource(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the protocol's names
        """Refuse."""
        refusal = self._refusal(
            f"the data source `{request.type_name}` cannot be read here",
            "pass what it would find as a variable; a test can mock it with `mock_provider`",
        )
        return pb.ReadDataSource.Response(diagnostics=[refusal])

    def _refusal(self, summary: str, remedy: str) -> Any:
        detail = f"Only the schemas of {self._source} are served, nothing is reached: {remedy}."
        return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary, detail=detail)


def _not_allowed(wrong: WrongValue) -> Any:
    name = next(step for step in reversed(wrong.path) if isinstance(step, str))
    near = did_you_mean(wrong.found, wrong.allowed)
    detail = f"It can be {', '.join(wrong.allowed)}." + (
        f" {near[0].upper()}{near[1:]}" if near else ""
    )
    return pb.Diagnostic(
        severity=pb.Diagnostic.ERROR,
        summary=f'"{wrong.found}" is no value of `{name}`',
        detail=detail,
        attribute=attribute_path(wrong.path),
    )


def serve(entries: list[Mapping[str, Any]], folder: Path) -> dict[str, Any]:
    """Start servers for each entry, and return what Terraform needs to find them.

    They run until the process ends. `unknown` names the ones that plan what is not known as
    unknown, `placeholder` the ones that put something known in.
    """
    return {
        fill.__name__: {
            f"{REGISTRY}/{entry['source']}": _reattach(
                _started(SchemaProvider(entry, fill), folder / f"{fill.__name__}{index}.sock")
            )
            for index, entry in enumerate(entries)
        }
        for fill in (unknown, placeholder)
    }


def _started(provider: SchemaProvider, socket: Path) -> Path:
    server = grpc.server(ThreadPoolExecutor(_WORKERS), options=_OPTIONS)
    rpc.add_ProviderServicer_to_server(provider, server)
    server.add_insecure_port(f"unix:{socket}")  # the folder is ours alone
    server.start()
    _SERVERS.append(server)
    return socket


def _reattach(socket: Path) -> dict[str, Any]:
    """Return how Terraform is told of a provider that runs already."""
    return {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": os.getpid(),
        "Test": True,  # Terraform does not end us
        "Addr": {"Network": "unix", "String": str(socket)},
    }


_SERVERS: Final[list[Any]] = []
"""A server that nobody refers to stops."""


def main(schemas: Path, folder: Path) -> None:
    """Serve until standard input ends."""
    addresses = serve(json.loads(schemas.read_bytes()), folder)
    sys.stdout.write(json.dumps(addresses) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    for server in _SERVERS:
        server.stop(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
