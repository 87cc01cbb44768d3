"""Plan files: one canonical JSON text per plan, with a digest; written whole or not at all, refused when altered.

The digest is SHA-256 of the canonical text with an empty digest. A file is accepted only when it is, byte
for byte, what this version writes for the plan it holds. Whether the plan still fits the books is not
judged here.
"""

from __future__ import annotations

import gc
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text, parse_canonical
from reconciler.kernel.errors import InvalidInput, PlanRefused
from reconciler.plan.freezing import freeze_step
from reconciler.plan.model import Plan
from reconciler.plan.representation import EXTENSION, EXTENSION_VERSION, from_document, to_document

MAX_BYTES = 256 * 1024 * 1024
_AGAIN = "Make a new plan: reconciler plan -o FILE"


def plan_text(plan: Plan) -> str:
    """The canonical text of a plan, its digest included, without the final newline."""
    return _sealed(_unsealed(plan))


def plan_digest(plan: Plan) -> str:
    """What identifies a plan in state and history: 64 hex digits."""
    return digest_text(_unsealed(plan))


def unsaved_digest(plan: Plan) -> str:
    """What identifies a plan that is applied at once and never saved: nothing of its size is built for it."""
    sha = hashlib.sha256(canonical_json([plan.lineage, plan.head, plan.created_at, plan.policy_digest]).encode())
    for step in plan.steps:
        sha.update(canonical_json(freeze_step(step)).encode())
    for item in plan.bookkeeping:
        sha.update(canonical_json([item.kind, str(item.address), item.remote_id, item.declared_digest]).encode())
    return sha.hexdigest()


def plan_document(plan: Plan) -> dict[str, Any]:
    """The document with its digest in place, for `--json`."""
    document = to_document(plan)
    document[EXTENSION]["digest"] = digest_text(canonical_json(document))
    return document


def write_plan(plan: Plan, path: Path) -> None:
    """Write the file, mode 0600, atomically and durably. Raises InvalidInput when it cannot be written."""
    data = (plan_text(plan) + "\n").encode()
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            f"the plan is too large for a file: {len(data):,} bytes, at most {MAX_BYTES:,}",
            hint="Plan fewer resources at a time with --target.",
        )
    try:
        _write_atomically(data, path)
    except OSError as error:
        raise InvalidInput(f"cannot write the plan file {path}", why=error.strerror or str(error)) from None


def read_plan(path: Path) -> Plan:
    """The plan in a file. Raises InvalidInput when there is none, PlanRefused when it is not as written."""
    try:
        text = _read(path).decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(path, "it is not UTF-8 text") from None
    if not text.endswith("}\n"):
        raise _refused(path, "it is not one JSON object on one line, ended by a newline")
    with _no_collection():
        return _accepted(path, text[:-1])


def _accepted(path: Path, text: str) -> Plan:
    document = _parsed(path, text)
    digest = _check_version(path, document)
    if digest_text(text.replace(_seal(digest), _seal(""), 1)) != digest:
        raise _refused(path, "its content does not match its digest: it was changed after it was written")
    try:
        plan = from_document(document)
    except ValueError as error:
        raise _refused(path, str(error)[:300]) from None
    if plan_text(plan) != text:
        raise _refused(path, "it is not written as this version writes the plan it holds")
    return plan


@contextmanager
def _no_collection() -> Iterator[None]:
    """Building many values that all live on: the cyclic collector would only look at them again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _unsealed(plan: Plan) -> str:
    with _no_collection():
        return canonical_json(to_document(plan))


def _seal(digest: str) -> str:
    return f'"{EXTENSION}":{{"digest":"{digest}"'


def _sealed(text: str) -> str:
    """The text with its own digest put in. The mark is no part of any string: its quotes are unescaped."""
    return text.replace(_seal(""), _seal(digest_text(text)), 1)


def _refused(path: Path, why: str) -> PlanRefused:
    return PlanRefused(f"the plan file {path} is refused", why=why, hint=_AGAIN)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        document = parse_canonical(text)
    except RecursionError:
        raise _refused(path, "it is nested too deeply") from None
    except ValueError as error:
        raise _refused(path, f"it is not the JSON of a plan: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise _refused(path, "it is not a JSON object")
    return document


def _check_version(path: Path, document: dict[str, Any]) -> str:
    """The stored digest of a plan this version can read."""
    extension = document.get(EXTENSION)
    if not isinstance(extension, dict):
        why = "it is Terraform's plan, not ours" if "terraform_version" in document else "it is no plan"
        raise _refused(path, f"{why}: it lacks the object {EXTENSION!r}")
    version = extension.get("version")
    if type(version) is not int:
        raise _refused(path, f"{EXTENSION}.version should be a whole number")
    if version > EXTENSION_VERSION:
        raise PlanRefused(
            f"the plan file {path} is refused",
            why=f"it was written by a newer version (plan format {version}; this one reads {EXTENSION_VERSION})",
            hint="Use the version that made it, or make a new plan.",
        )
    if version != EXTENSION_VERSION:
        raise _refused(path, f"there is no plan format {version}")
    digest = extension.get("digest")
    if not isinstance(digest, str) or len(digest) != 64:
        raise _refused(path, f"{EXTENSION}.digest should be 64 hex digits")
    return digest


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise InvalidInput(f"there is no plan file {path}", hint="Make one: reconciler plan -o FILE") from None
    except OSError as error:
        raise InvalidInput(f"cannot read the plan file {path}", why=error.strerror or str(error)) from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise _refused(path, "it is not a regular file")
        if facts.st_size > MAX_BYTES:
            raise _refused(path, f"it is larger than {MAX_BYTES:,} bytes")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise _refused(path, f"it is larger than {MAX_BYTES:,} bytes")
    return data


def _write_atomically(data: bytes, path: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
