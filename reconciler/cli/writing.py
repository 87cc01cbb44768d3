"""Files a command writes for its user: private, and whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reconciler.kernel.errors import InvalidInput


def write_private(text: str, path: Path) -> None:
    """Replace `path` by `text`, mode 0600. Raises InvalidInput when it cannot be written."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        raise InvalidInput(f"cannot write {path}", why=error.strerror or str(error)) from None
