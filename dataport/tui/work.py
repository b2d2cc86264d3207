"""The one way to start background work in the app."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from textual.dom import DOMNode
from textual.worker import Worker

from dataport.core.errors import DataportError
from dataport.tui.messages import Failed

_log = logging.getLogger(__name__)

P = ParamSpec("P")
N = TypeVar("N", bound=DOMNode)


def background(
    group: str, *, exclusive: bool = False
) -> Callable[
    [Callable[Concatenate[N, P], Awaitable[None]]], Callable[Concatenate[N, P], Worker[None]]
]:
    """Run a coroutine method as a worker; its failure becomes a `Failed` message.

    No failure ends the app. An exclusive worker replaces the one of its group that still runs.
    """

    def decorate(
        method: Callable[Concatenate[N, P], Awaitable[None]],
    ) -> Callable[Concatenate[N, P], Worker[None]]:
        def start(self: N, /, *args: P.args, **kwargs: P.kwargs) -> Worker[None]:
            async def guarded() -> None:
                try:
                    await method(self, *args, **kwargs)
                except Exception as error:  # noqa: BLE001 - a failing worker must not end the app
                    self.post_message(Failed(as_dataport_error(error)))

            return self.run_worker(
                guarded, name=method.__name__, group=group, exclusive=exclusive,
                exit_on_error=False,
            )  # fmt: skip

        functools.update_wrapper(start, method)
        return start

    return decorate


def as_dataport_error(error: Exception) -> DataportError:
    """`error` itself, or an unexpected one in words with the trace to copy."""
    if isinstance(error, DataportError):
        return error
    _log.exception("unexpected failure", exc_info=error)
    return DataportError(
        "unexpected",
        "Something went wrong inside the app.",
        "".join(traceback.format_exception(error)).strip(),
        "Press y to copy this text for a report; the app goes on.",
    )
