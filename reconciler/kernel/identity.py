"""Identities that make a create recognisable for ever: document id, tag, reference, request key.

- document id = hash(project id, company id, first address, generation, label): what a document *is*,
  stored at its first intent and never computed again, so that it survives a rename.
- tag = 4 characters of the project and 12 of the document id: short enough for any ERP field.
- reference = the name, shortened to fit, and the tag: what the ERP carries.
- request key = hash(document id, operation, attempt): one per thing sent.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from reconciler.kernel.address import Address

_TAG = re.compile(r"~([a-z2-7]{16})\Z", re.ASCII | re.IGNORECASE)
TAG_LENGTH = 17


def _hash(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()


def _letters(data: bytes, count: int) -> str:
    return base64.b32encode(data).decode("ascii").lower()[:count]


def document_id(project: str, company: str, first_address: Address, generation: int, label: str = "") -> str:
    """26 letters; `label` tells a correction's documents apart (`credit.1`), empty for the original."""
    return _letters(_hash("document", project, company, first_address, generation, label), 26)


@lru_cache(maxsize=16)
def project_tag(project: str) -> str:
    """The 4 characters every tag of this project begins with."""
    return _letters(_hash("project", project), 4)


def tag_of(project: str, document: str) -> str:
    """The 16 characters that mark a document as this project's `document`."""
    return project_tag(project) + document[:12]


def reference_for(project: str, document: str, name: str, max_length: int = 60) -> str:
    """The text carried into the ERP: `name~tag`, ASCII, `max_length` (at least 17) characters at most."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-")
    return f"{plain[: max_length - TAG_LENGTH]}~{tag_of(project, document)}"


def tag_in(reference: str | None) -> str | None:
    """The tag a reference carries, lower-cased (ERPs change case), or None."""
    match = _TAG.search(reference or "")
    return match.group(1).lower() if match else None


def request_key(document: str, operation: str, attempt: int) -> str:
    """32 letters naming one attempt at one operation on one document. `attempt` counts from 1."""
    return _letters(_hash("request", document, operation, attempt), 32)


@dataclass(frozen=True, slots=True)
class Tagged:
    """Whose a live document is, judged by its reference alone."""

    tag: str | None
    ours: bool

    @classmethod
    def read(cls, reference: str | None, project: str) -> Tagged:
        tag = tag_in(reference)
        return cls(tag, tag is not None and tag.startswith(project_tag(project)))
