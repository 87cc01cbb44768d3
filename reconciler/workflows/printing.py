"""A document as its ERP prints it: which one an address means, and the file."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass

from reconciler.kernel.address import Address, encode_name
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import DocumentFile, Provider
from reconciler.resources.kinds import KINDS
from reconciler.state.model import DocumentRow
from reconciler.workflows.session import Session
from reconciler.workflows.stating import chain_order, show

_PDF = "application/pdf"
_FIRST_BYTES = 1024
"""Where readers of PDF look for its mark."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Printed:
    """A document of an address, and its file. `name` is ours: nothing an ERP says names a file."""

    document: DocumentRow
    file: DocumentFile
    name: str


def printed(session: Session, address: Address, label: str = "") -> Printed:
    """The print of an address's current document, or of the one with a chain label such as `credit.1`.

    Raises InvalidInput for what is no document, StateError for an unbound address, ReconcilerError otherwise.
    """
    kind = KINDS[address.kind]
    if not kind.is_document:
        kinds = ", ".join(name for name, one in KINDS.items() if one.is_document)
        raise InvalidInput(f"{address.kind} is not printed", hint=f"Documents are: {kinds}.")
    state = show(session.store, address)
    row = _document(address, state.documents, state.binding.document_id, label)
    provider = session.provider(address.connection)
    _check_printed(address, row, provider)
    try:
        file = provider.document(row.kind, row.remote_id)
    except ProviderError as error:
        raise ReconcilerError(
            f"{address.connection} gave no print of {address.kind}.{address.name}", why=error.message
        ) from error
    _check(file)
    return Printed(row, file, _name(row, file.media_type))


def _document(address: Address, rows: tuple[DocumentRow, ...], current: str, label: str) -> DocumentRow:
    for row in rows:
        if row.label == label if label else row.document_id == current:
            return row
    known = ", ".join(row.label for row in sorted(rows, key=chain_order) if row.label)
    raise InvalidInput(
        f"{address.kind}.{address.name} has no document {label!r}",
        hint=f"It has: {known}." if known else "It has one document alone: leave the label out.",
    )


def _check_printed(address: Address, row: DocumentRow, provider: Provider) -> None:
    capabilities = provider.capabilities()
    if capabilities.kind(row.kind).printed:
        return
    able = ", ".join(KINDS[name].plural for name, kind in capabilities.kinds.items() if kind.printed)
    raise ReconcilerError(
        f"{capabilities.provider} prints no {KINDS[row.kind].plural.replace('_', ' ')}",
        why=f"connection {address.connection!r} tells so of itself",
        hint=f"It prints: {able}." if able else "Print it in the ERP.",
    )


def _check(file: DocumentFile) -> None:
    """Refuse what cannot be the print: an empty file, an error page under the name of a PDF."""
    if not file.content:
        raise ReconcilerError("the ERP sent an empty file", hint="Look at the document in the ERP.")
    if file.media_type == _PDF and b"%PDF-" not in file.content[:_FIRST_BYTES]:
        raise ReconcilerError("what the ERP sent as a PDF is none", hint="Look at the document in the ERP.")


def _name(row: DocumentRow, media_type: str) -> str:
    """`INV-7452.pdf`: the number, or the address's name, with what the media type is called."""
    stem = encode_name(row.number or (f"{row.address.name}-{row.label}" if row.label else row.address.name))
    suffix = mimetypes.guess_extension(media_type.partition(";")[0].strip()) or ".bin"
    return f"{stem.lstrip('.-')[:_LONGEST] or 'document'}{suffix}"
