"""A declared resource as it leaves the loader: address, canonical body, references, source."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Source
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content


@dataclass(frozen=True, slots=True)
class Resource:
    """One declared resource. `body` is the canonical JSON of its content, references by name.

    `references` are (kinds, name) pairs, in the order of `resources.content.references`.
    `on_change` lists the remedies `lifecycle.on_change` permits; None when it says nothing.
    """

    address: Address
    body: str
    references: tuple[tuple[tuple[str, ...], str], ...] = ()
    source: Source | None = None
    on_change: tuple[str, ...] | None = None

    def content(self) -> Content:
        return decode(self.address.kind, self.body)


@dataclass(frozen=True, slots=True)
class Moved:
    """A rename: the binding at `origin` becomes `destination`'s; the ERP is not touched."""

    origin: Address
    destination: Address
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """What to do with something no longer declared.

    `action`: `forget`, `credit`, `void`, `discard` (a draft) or `reverse` (a payment).
    """

    address: Address
    action: str
    reason: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """Consent to bind a live document that is not ours: by its ERP id, or by its number or code.

    `drafts`: even a draft; an import binds those too.
    """

    address: Address
    remote_id: str | None = None
    source: Source | None = None
    drafts: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything the manifests say. `resources` are in address order."""

    resources: tuple[Resource, ...] = ()
    moved: tuple[Moved, ...] = ()
    removed: tuple[Removed, ...] = ()
    adopted: tuple[Adoption, ...] = ()
    rendered: str = ""
    """Digest of what was rendered from templates, and of their variables; empty where there are none."""
