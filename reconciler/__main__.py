"""`python -m reconciler` and the console script."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code. The main help needs none of it."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        from reconciler.cli.help import help_text

        return _print(help_text())
    from reconciler.cli.main import main as run

    return run()


def _print(text: str) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
