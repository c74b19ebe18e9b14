"""`use`: a context manager, synchronous or not, and a decorator. Reads arguments, nothing more."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from agentci.cassettes.arguments import MAIN, UseArguments, folder_of, foreign_of, resolve_mode
from agentci.core.lane import Lane
from agentci.record.redact import OnSecret
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.app.in_process import TapeInUse
    from agentci.cassettes.handle import Cassette

_F = TypeVar("_F", bound=Callable[..., Any])
_NAMED = "cassettes"


class CassetteUse:
    """A cassette for a block or for each call of a function."""

    def __init__(self, arguments: UseArguments) -> None:
        """Do nothing until the block is entered or the function is called."""
        self.arguments = arguments
        self._in_use: TapeInUse | None = None

    def __enter__(self) -> Cassette:
        """Answer HTTP calls from the cassette from now on.

        Raises:
            AgentciError: when the recordings cannot be read, or vcrpy does not do.
        """
        from agentci.app.in_process import TapeInUse  # noqa: PLC0415 - not to define a test
        from agentci.cassettes.handle import Cassette  # noqa: PLC0415 - as above

        assert self._in_use is None, "the cassette is in use already"
        self._in_use = TapeInUse(_request(self.arguments))
        return Cassette(self._in_use)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and say what is missing or unplayed.

        Raises:
            AgentciError: the first failure of a call, also where the program hid it.
        """
        in_use, self._in_use = self._in_use, None
        assert in_use is not None, "the cassette is not in use"
        failures = in_use.tape.failures
        try:
            in_use.stop(failed=error is not None)
        except Exception as failure:
            if error is not None and (failure is error or error in failures):
                return  # the program lets it through
            raise failure from error

    async def __aenter__(self) -> Cassette:
        """Do as `__enter__` does."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Do as `__exit__` does."""
        self.__exit__(kind, error, traceback)

    def __call__(self, function: _F) -> _F:
        """Return `function` with the cassette in use while it runs, whatever kind it is."""
        arguments = self.arguments
        if arguments.path is None:
            arguments = replace(arguments, path=_beside(function))
        decorated: _F = _decorated(function, arguments)
        return decorated


@overload
def use(path: _F) -> _F: ...


@overload
def use(
    path: str | os.PathLike[str] | None = None,
    *,
    mode: str | None = None,
    lane: str = MAIN,
    unplayed: str = "fail",
    keep_headers: tuple[str, ...] | list[str] = (),
    mask: tuple[str, ...] | list[str] = (),
    redact: bool = False,
    **options: Any,
) -> CassetteUse: ...


def use(  # noqa: PLR0913 - what a user decides on, each by name
    path: str | os.PathLike[str] | Callable[..., Any] | None = None,
    *,
    mode: str | None = None,
    lane: str = MAIN,
    unplayed: str = "fail",
    keep_headers: tuple[str, ...] | list[str] = (),
    mask: tuple[str, ...] | list[str] = (),
    redact: bool = False,
    **options: Any,
) -> Any:
    """Answer the HTTP calls of a block or a function from recordings, or record them.

    Args:
        path: A name below the project's `cassettes/`, or a path with a slash or a suffix. With the
            suffix of another recorder's file, that file is taken over on first use and stays as it
            is. Without a path, a decorated function has one beside its module.
        mode: `auto` (replay what is recorded, record what is missing), `replay`, `record` (like
            auto, and remove what was not played), `record-all`, or `live`. By default `auto`, and
            `replay` where `CI` is set.
        lane: Name of the caller, for several in one folder.
        unplayed: `fail` or `ignore` recordings that nobody has asked for.
        keep_headers: Headers of answers to keep besides the few that always are, also of answers
            that are taken over from another recorder.
        mask: Regular expressions of what does not count in requests; of each match, its group
            `value` or all of it becomes `<masked>`. As under `mask` of a pipeline's step, and
            besides what is masked for known clients.
        redact: Whether secrets are replaced in recordings, in place of refusing them.
        **options: vcrpy's, as in `vcr.use_cassette`.

    Raises:
        UsageError: for an argument that there is not.
    """
    if callable(path) and not isinstance(path, str | os.PathLike):
        return CassetteUse(UseArguments(options=options))(path)
    return CassetteUse(
        UseArguments(
            path=None if path is None else Path(os.fspath(path)),
            mode=None if mode is None else str(mode),
            lane=Lane(lane),
            unplayed=unplayed,
            keep_headers=tuple(name.lower() for name in keep_headers),
            mask=tuple(mask),
            redact=redact,
            options=options,
        )
    )


def _request(arguments: UseArguments) -> Any:
    from agentci.app import wiring  # noqa: PLC0415 - not to define a test
    from agentci.app.in_process import UseRequest  # noqa: PLC0415 - as above

    path, options = arguments.path, arguments.options
    if path is None:
        message = "`use` needs a path, unless it decorates a function"
        raise TypeError(message)
    in_ci = (wiring.env().get("CI") or "").lower() in {"1", "true"}
    resolved = resolve_mode(arguments.mode, options, default=Mode.REPLAY if in_ci else Mode.AUTO)
    if len(path.parts) == 1 and not path.suffix and "cassette_library_dir" not in options:
        path = _project_cassettes() / path
    folder, foreign = folder_of(path, options), foreign_of(path, options)
    if folder in foreign:
        folder = folder.with_name(folder.name + ".cassette")
    files = wiring.files()
    mode = resolved.mode
    if str(getattr(options.get("record_mode"), "value", options.get("record_mode"))) == "once":
        there = files.list(folder) or any(files.exists(each) for each in foreign)
        mode = Mode.REPLAY if there and arguments.mode is None else mode
    return UseRequest(
        folder=folder,
        lane=arguments.lane,
        mode=mode,
        record_all=resolved.record_all,
        foreign=(*foreign, *arguments.foreign),
        unplayed_fail=arguments.unplayed == "fail",
        rerecord=arguments.rerecord,
        keep_headers=arguments.keep_headers,
        repeats=bool(options.get("allow_playback_repeats")),
        masks=arguments.mask,
        root=arguments.root,
        on_secret=OnSecret.of(redact=arguments.redact),
        options=arguments.filters,
    )


def _project_cassettes() -> Path:
    from agentci.app import wiring  # noqa: PLC0415 - only for a name
    from agentci.app.project import open_project  # noqa: PLC0415 - as above

    project = open_project(Path.cwd(), wiring.files())
    return project.root / project.config.cassettes


def _beside(function: Callable[..., Any]) -> Path:
    file = Path(function.__code__.co_filename)
    return file.parent / _NAMED / file.stem / function.__qualname__.replace(".<locals>", "")


def _decorated(function: Any, arguments: UseArguments) -> Any:
    import inspect  # noqa: PLC0415 - only to decorate

    inject = bool(arguments.options.get("inject_cassette"))

    def given(cassette: Cassette, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (cassette, *args) if inject else args

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with CassetteUse(arguments) as cassette:
            return function(*given(cassette, args), **kwargs)

    @wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        async with CassetteUse(arguments) as cassette:
            return await function(*given(cassette, args), **kwargs)

    @wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with CassetteUse(arguments) as cassette:
            return (yield from function(*given(cassette, args), **kwargs))

    @wraps(function)
    async def generate_async(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        async with CassetteUse(arguments) as cassette:
            async for each in function(*given(cassette, args), **kwargs):
                yield each

    wrapper: Any = call
    for is_one, candidate in (
        (inspect.iscoroutinefunction, call_async),
        (inspect.isasyncgenfunction, generate_async),
        (inspect.isgeneratorfunction, generate),
    ):
        if is_one(function):
            wrapper = candidate
    if inject:
        signature = inspect.signature(function)
        kept = list(signature.parameters.values())[1:]
        wrapper.__signature__ = signature.replace(parameters=kept)
    return wrapper
