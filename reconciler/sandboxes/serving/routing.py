"""Paths to handlers: patterns such as `/companies/{companyId}/push`, matched segment by segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.sandboxes.serving.messages import Call, Reply

Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """One method and pattern. A segment in braces takes any text but the empty one."""

    method: str
    pattern: tuple[str, ...]
    handler: Handler


@dataclass(slots=True)
class Routes:
    """A table of routes; literal segments win over those in braces."""

    _routes: list[Route] = field(default_factory=list)

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """`pattern` begins with a slash; `{name}` stands for one segment."""
        self._routes.append(Route(method, tuple(pattern.strip("/").split("/")), handler))

    def find(self, call: Call) -> tuple[Handler, dict[str, str]] | list[str] | None:
        """The handler and what the path says; the allowed methods when only the method is wrong; else None."""
        segments = call.path.strip("/").split("/")
        matching = [route for route in self._routes if _fits(route.pattern, segments)]
        if not matching:
            return None
        best = max(_literal(route.pattern) for route in matching)
        nearest = [route for route in matching if _literal(route.pattern) == best]
        for route in nearest:
            if route.method == call.method:
                return route.handler, _params(route.pattern, segments)
        return sorted({route.method for route in nearest})


def _is_name(segment: str) -> bool:
    return segment.startswith("{")


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        bool(given) if _is_name(wanted) else wanted == given
        for wanted, given in zip(pattern, segments, strict=True)
    )


def _literal(pattern: tuple[str, ...]) -> tuple[bool, ...]:
    return tuple(not _is_name(segment) for segment in pattern)


def _params(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str]:
    return {wanted[1:-1]: given for wanted, given in zip(pattern, segments, strict=True) if _is_name(wanted)}
