"""Check a project offline: its manifests, their references, their arithmetic. It opens no state and no books."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconciler.kernel.diagnostics import Diagnostic
from reconciler.manifests.loading import load_declaration
from reconciler.project import Project
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Declaration


@dataclass(frozen=True, slots=True)
class Validated:
    """A sound declaration and what is doubtful about it."""

    declaration: Declaration
    warnings: tuple[Diagnostic, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many resources of each kind are declared, in the order of kinds; only kinds that are."""
        found = Counter(resource.address.kind for resource in self.declaration.resources)
        return {kind: found[kind] for kind in KINDS if found[kind]}


def validate(project: Project) -> Validated:
    """Read and check everything the project declares. Raises InvalidInput with every error."""
    loaded = load_declaration(project)
    return Validated(loaded.declaration, loaded.warnings)
