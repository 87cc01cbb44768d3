"""Files a command writes for its user: private, and whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
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


def write_new(data: bytes, path: Path, *, force: bool = False) -> None:
    """Put `data` at `path`, mode 0600, whole or not at all. Raises InvalidInput where something is there already,
    unless `force`, and when it cannot be written."""
    there = InvalidInput(f"{path} is there already", hint="Give --out another name, or --force to replace it.")
    if not force and (path.is_symlink() or path.exists()):
        raise there
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if force or not _linked(temporary, path):
            os.replace(temporary, path)
    except FileExistsError:
        raise there from None
    except OSError as error:
        raise InvalidInput(f"cannot write {path}", why=error.strerror or str(error)) from None
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _linked(temporary: str, path: Path) -> bool:
    """Give the file its name if nothing has it; False where the file system knows no such way."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True
