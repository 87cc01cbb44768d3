"""The lock of a process that is gone is given up at once; any other is left alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.apply.holding import holder, is_gone, take_lock
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import StateLocked
from reconciler.state.history import verify_history
from reconciler.state.opening import open_store

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
PROJECT = "0b6f3c1e9d2a"
CHILD = """
import sys, time
from pathlib import Path
from reconciler.apply.holding import holder, take_lock
from reconciler.kernel.clock import SystemClock
from reconciler.state.opening import open_store
opened = open_store(Path(sys.argv[1]), "0b6f3c1e9d2a", SystemClock())
take_lock(opened.store, holder(), "apply", 600)
print("held", flush=True)
time.sleep(600)
"""


def test_this_process_is_not_gone():
    assert not is_gone(holder())


def test_a_process_number_used_again_is_not_the_same_process():
    who = holder()
    started = who.rstrip(")").rpartition("-")[2]
    assert is_gone(who.replace(f"-{started})", f"-{int(started) - 1})"))


@pytest.mark.parametrize(
    "who",
    [
        "ci@elsewhere (process 1)",
        "somebody",
        "",
        "a@b (process 999999999, 00000000-1-5)",
        "a@b (process 1, 00000000-4026531836-5)",
    ],
)
def test_what_cannot_be_known_is_left_alone(who: str):
    assert not is_gone(who)


def test_a_killed_runs_lock_is_taken_at_once_and_told(tmp_path: Path):
    path = tmp_path / "state.sqlite"
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"held\n"
            opened = open_store(path, PROJECT, SystemClock())
            try:
                with pytest.raises(StateLocked):
                    take_lock(opened.store, holder(), "apply", 60)
                child.send_signal(signal.SIGKILL)
                child.wait()
                lease = take_lock(opened.store, holder(), "apply", 60)
                assert lease.fence > 1
                lease.release()
                assert any("is gone" in row.entry for row in opened.store.history())
                assert verify_history(opened.store) == []
            finally:
                opened.store.close()
        finally:
            child.kill()
