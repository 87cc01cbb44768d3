"""What a resource asks for, in identity space, and the digest that says whether it still asks the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.plan.index import Index, Unresolved
from reconciler.resources.content import references, replace_references
from reconciler.resources.defaults import with_defaults
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.resource import Resource

_ASIDE = frozenset({"state", "number", "allocations"})


@dataclass(frozen=True, slots=True)
class Desired:
    """`content`: identities, defaults filled in, as the ERP will store it."""

    resource: Resource
    content: Content
    digest: str
    warnings: tuple[str, ...]
    refused: tuple[str, ...]
    """What the ERP cannot keep of it, in words."""
    declared: frozenset[str]
    """The top-level fields the manifest names; the others are defaults that matter at the create alone."""

    @property
    def state(self) -> str:
        return str(self.content.get("state", "posted"))

    def comparable(self) -> Content:
        """What is compared with the live record field by field: not the state, number and allocations, which
        have rules of their own, and nothing that is never sent."""
        aside = _ASIDE | KINDS[self.resource.address.kind].never_sent
        return {key: value for key, value in self.content.items() if key in self.declared and key not in aside}

    def declared_text(self, **marks: Any) -> str:
        """What state remembers: the content, and our own marks (`_noted`, `_removed`)."""
        kept = {key: value for key, value in self.content.items() if key not in ("expect_total",)}
        return canonical_json({**kept, **{f"_{key}": value for key, value in marks.items() if value}})


def resolve_all(index: Index, resource: Resource) -> tuple[list[str], list[Unresolved]]:
    """Identities of every reference of a resource, in order, and what could not be resolved."""
    found: list[str] = []
    missing: list[Unresolved] = []
    for kinds, name in resource.references:
        identity = index.resolve(resource.address.connection, kinds, name)
        if isinstance(identity, Unresolved):
            missing.append(identity)
        else:
            found.append(identity)
    return found, missing


def digest_of(resource: Resource, identities: list[str]) -> str:
    """Digest of what is declared: the body, and what its references stand for."""
    return digest_text(resource.body + "\n" + ",".join(identities))


def desired_of(index: Index, resource: Resource, digest: str) -> Desired:
    """The resource with references as identities (all resolvable), normalised where the provider did so."""
    address = resource.address
    kind = KINDS[address.kind]
    normalized = index.inputs.normalized.get(address)
    written = resource.content()
    names = normalized.content if normalized else with_defaults(address.kind, address.name, written)
    warnings = tuple(
        f"{item.field}: {item.declared!r} will be stored as {item.stored!r} ({item.why})"
        for item in (normalized.adjustments if normalized else ())
    )
    warnings += normalized.warnings if normalized else ()
    refused = normalized.refused if normalized else ()

    def identity(reference: Any) -> str:
        found = index.resolve(address.connection, reference.kinds, reference.name)
        assert not isinstance(found, Unresolved)
        return found

    content = index.as_tracked(address.connection, replace_references(kind, names, identity))
    moved = names.keys() - content.keys()
    return Desired(resource, content, digest, warnings, refused, frozenset(written) - moved)


def reference_identities(kind: str, content: Content) -> list[str]:
    """The identities a content in identity space refers to."""
    return [reference.name for reference in references(KINDS[kind], content)]
