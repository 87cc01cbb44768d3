"""What a conformance case is made of: desired states, and what people do between them. Data only.

Manifests are YAML with `<token>` for the world's words (see `world.Vocabulary.tokens`); `<x>` is the run's own
mark, so that one live server serves every case. A token that the world has no word for skips the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.providers.capabilities import Verb

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Desired:
    """A desired state: planned and applied; then the plan is empty, state equals live, and a second apply does
    nothing.

    `allow`: consents, `remedy:address`. `worth`: address (or `address/label`) → `total open`, as the books say.
    `verbs`: the operations of the plan in order, where that matters. Every declared text is stored exactly, or the
    plan names what is stored instead.
    """

    manifest: str
    allow: tuple[str, ...] = ()
    worth: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    verbs: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """A desired state that is refused at plan time: address → reason. Nothing is applied."""

    manifest: str
    reasons: Mapping[str, str]
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A desired state that the plan blocks or the ERP rejects at `address`; nothing of it is written there."""

    manifest: str
    address: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """A desired state that does not even validate: `words` are in the error."""

    manifest: str
    words: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """A colleague does something: a hook's name and its arguments.

    An argument `@address` is the ERP id of what is bound there; `made` names what the hook returned, for
    `<id:NAME>` in later manifests.
    """

    hook: str
    arguments: tuple[str, ...]
    made: str = ""


@dataclass(frozen=True, slots=True)
class Drifts:
    """The same desired state, planned again: address → kind of drift; `undone`: verbs the plan would take back
    (none: what happened stays)."""

    drift: Mapping[str, str]
    undone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StateLost:
    """The state is gone, with its marker; the next desired state has to find what it made."""


Step = Desired | Blocked | Refused | Invalid | ByHand | Drifts | StateLost


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `name` is a Python name; `about` one sentence.

    `can`: (kind, verb) pairs the case uses beyond what its manifests declare: without them it is skipped.
    """

    name: str
    about: str
    steps: tuple[Step, ...]
    can: tuple[tuple[str, Verb], ...] = ()
    slow: bool = field(default=False)
