"""Writing the files of an import: each whole or not at all, in the order given, and none that changed meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.listing import FOLDER
from reconciler.source.files import Unreadable, read_bytes


def text_of(root: Path, path: str) -> str | None:
    """A file of the project as it is, None where there is none. Raises InvalidInput when it cannot be read."""
    try:
        return read_bytes(root, root / path).decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return "\x00"  # nobody's manifest: it is there, and no import wrote it
    except (Unreadable, OSError) as problem:
        raise InvalidInput(f"{path} cannot be read", why=str(problem)) from None


def folder_of(root: Path, out: str) -> str:
    """`--out` as a folder of manifests, relative to the project. Raises InvalidInput for any other place."""
    real, top = Path(os.path.realpath(root / out)), Path(os.path.realpath(root)) / FOLDER
    if not real.is_relative_to(top) or any(part.startswith(".") for part in real.relative_to(top).parts):
        raise InvalidInput(
            f"--out {out} is not a folder of manifests",
            why=f"what is declared is read from {FOLDER}/ alone, hidden folders left out: elsewhere it would be "
            "bound, but declared nowhere",
            hint=f"Name a folder under {FOLDER}/, such as {FOLDER}/imported.",
        )
    return real.relative_to(top.parent).as_posix()


def put_files(
    root: Path, texts: Mapping[str, str], before: Mapping[str, str | None], each: Callable[[str], None]
) -> None:
    """Write each file in turn. `before`: what was there when the texts were made; `each` hears of every one.

    Raises InvalidInput when one cannot be written, or was changed by somebody meanwhile.
    """
    for path, text in texts.items():
        target = root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(root, path, text, before.get(path))
        except OSError as problem:
            raise InvalidInput(f"cannot write {path}", why=problem.strerror or str(problem)) from None
        each(path)


def _replace(root: Path, path: str, text: str, before: str | None) -> None:
    target = root / path
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, target.stat().st_mode & 0o777 if before is not None else 0o666 & ~_umask())
        if text_of(root, path) != before:
            raise InvalidInput(
                f"{path} was changed while the import was under way",
                hint="Nothing of it was overwritten. Run the import again.",
            )
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
