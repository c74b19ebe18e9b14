"""The project's settings, `agentci.yaml`, version 1, and where a project begins.

Optional: every setting has a default. Secrets never stand here; a key is named by the environment
variable that holds it. Knows nothing of what the settings lead to.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from agentci.core.errors import Location, NothingMatched, SafetyRefusal
from agentci.spec.format_header import check_format
from agentci.spec.pipeline import Model, SandboxName
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

if TYPE_CHECKING:
    from agentci.core.effects import Files

CONFIG_FILE = "agentci.yaml"
CONFIG_FORMAT: Final = "agentci/config"
CONFIG_VERSION: Final = 1

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"}
)


class EndpointConfig(Model):
    """Where the calls of one provider go. The provider's own variables win over it."""

    base_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        description="Base URL instead of the provider's own, as an SDK would take it.",
    )
    api_key_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the key. The key itself never stands here.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Headers to add to each call, for example a gateway's route. Not for secrets.",
    )


class Defaults(Model):
    """Defaults of command-line options."""

    mode: Literal["auto", "replay", "record", "live"] | None = Field(
        None, description="Of `--mode`: `auto`, or `replay` where CI=true, when missing."
    )
    jobs: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="Of `--jobs`: steps at the same time."
    )
    sandbox: SandboxName | None = Field(
        None, description="Of `--sandbox`: where commands of agents run."
    )
    image: str | None = Field(
        None, description="Image of the sandbox `docker`. It has to be on the machine."
    )


class ProjectConfig(Model):
    """The settings of a project."""

    format: Literal["agentci/config"]
    version: Literal[1]
    endpoints: dict[str, EndpointConfig] = Field(
        default_factory=dict, description="By provider, as in `models` of a pipeline."
    )
    defaults: Defaults = Field(default_factory=Defaults.model_construct)
    pipelines: str = Field("pipelines", description="Folder with the pipelines.")
    cassettes: str = Field("cassettes", description="Folder with the recordings.")


def load_config(project: Path, files: Files) -> ProjectConfig:
    """Read the settings of the project in the folder `project`; defaults where it has none.

    Raises:
        SpecError: when the file is invalid; carries every problem with its place.
        FormatError: when it is of another format or version.
        SafetyRefusal: when it holds a secret.
        StorageError: when it cannot be read.
    """
    file = project / CONFIG_FILE
    if not files.exists(file):
        # not validated, because that builds the models, which takes long
        return ProjectConfig.model_construct(format=CONFIG_FORMAT, version=CONFIG_VERSION)
    document = parse_document(files.read(file), file.as_posix())
    check_format(document, CONFIG_FORMAT, CONFIG_VERSION)
    config = validate(document, ProjectConfig)
    for provider, endpoint in config.endpoints.items():
        for name in endpoint.headers:
            if name.lower() in _SECRET_HEADERS:
                place = document.positions.locate(("endpoints", provider, "headers", name))
                _refuse_secret(name, place)
    return config


def _refuse_secret(header: str, place: Location) -> None:
    raise SafetyRefusal(
        f"the header `{header}` carries a secret, which must not stand in a file",
        code="ACI-P140",
        hint="put the key into an environment variable and name it with `api_key_env`",
        location=place,
    )


def find_project(start: Path, files: Files) -> Path:
    """Return the folder of the project around `start`, an absolute path.

    It is the nearest folder with `agentci.yaml`; else the nearest with `pipelines/`; else the root
    of the git repository.

    Raises:
        NothingMatched: when there is none of these.
    """
    around = (start, *start.parents)
    for mark in (CONFIG_FILE, "pipelines", ".git"):
        for folder in around:
            if files.exists(folder / mark):
                return folder
    raise NothingMatched(
        f"`{start.as_posix()}` is in no project: there is no `{CONFIG_FILE}`, no `pipelines/` "
        "and no git repository around it",
        code="ACI-N105",
        hint="go to your repository, or start one with `git init` and `agentci init`",
    )
