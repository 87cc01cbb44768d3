"""Render a project's templates, to be looked at. It checks no manifest and opens nothing but the templates."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kernel.diagnostics import in_order, nearest
from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.listing import FOLDER, TEMPLATE_SUFFIX, list_manifests
from reconciler.manifests.loading import rendered
from reconciler.manifests.templates.rendering import RenderedFile
from reconciler.project import Project


def render(project: Project, files: Sequence[str] = ()) -> list[RenderedFile]:
    """The texts of the templates named (paths from the project's folder), or of all, in order of their paths.

    Raises InvalidInput with every template that cannot be rendered, and for names that are none.
    """
    listing = list_manifests(project.root)
    for file in files:
        if file not in listing.templates:
            why = f"templates are the files under {FOLDER}/ that end in {TEMPLATE_SUFFIX}"
            raise InvalidInput(f"there is no template {file}", why=why, hint=nearest(file, listing.templates))
    rendering = rendered(project, listing)
    if rendering.problems:
        count = len(rendering.problems)
        what = f"the templates have {count} errors" if count > 1 else "the templates have 1 error"
        raise InvalidInput(what, in_order(rendering.problems))
    return [found for file, found in sorted(rendering.files.items()) if not files or file in files]
