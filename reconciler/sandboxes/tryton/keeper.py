"""Run one command, and end it when whoever holds our standard input is gone: a server must not outlive its tests.

Started by its path, so that it needs nothing but the standard library: `python keeper.py COMMAND ARGUMENT…`.
A death signal of the kernel would do the same on Linux, but it follows the thread that started us, not the process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 5


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _end_with_our_input(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):  # not sys.stdin: its buffer is locked by whoever reads, and must not be at our own end
        pass
    _end(child)


def main(command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_end_with_our_input, args=(child,), daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
