"""Files of a project, read without following anything out of it; bounded in size.

It opens regular files only, decides nothing about their content, and never writes.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024


class Unreadable(Exception):
    """A file that will not be read: `code`, `what` is wrong, and what to do."""

    def __init__(self, code: str, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.hint = hint


def inside(root: Path, path: Path) -> Path | None:
    """The real path of `path` when it lies in `root`, symbolic links followed; None when it does not."""
    real = Path(os.path.realpath(path))
    return real if real.is_relative_to(os.path.realpath(root)) else None


def read_bytes(root: Path, path: Path, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file of the project. Raises Unreadable, FileNotFoundError."""
    real = inside(root, path)
    if real is None:
        raise Unreadable(
            "outside-project",
            "the file is a symbolic link that leads out of the project",
            hint="Copy the file into the project.",
        )
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(real, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable("unreadable-file", f"the file cannot be opened: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("not-a-file", "this is not a regular file")
    with os.fdopen(descriptor, "rb") as handle:
        data = handle.read(limit + 1) if status.st_size <= limit else b""
        size = max(status.st_size, len(data))
    if size > limit:
        raise Unreadable(
            "file-too-large",
            f"the file is larger than {limit // (1024 * 1024)} MB",
            hint="Split it: all files under manifests/ are one declaration.",
        )
    return data


def is_regular_file(root: Path, relative: str) -> str | None:
    """Why `relative` cannot be used as a file of the project, or None when it can."""
    if "\x00" in relative or "\\" in relative:
        return "is not a path with forward slashes"
    pure = Path(relative)
    if pure.is_absolute() or ".." in pure.parts:
        return "leads out of the project"
    real = inside(root, root / pure)
    if real is None:
        return "leads out of the project"
    try:
        mode = real.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if stat.S_ISREG(mode) else "is not a regular file"
