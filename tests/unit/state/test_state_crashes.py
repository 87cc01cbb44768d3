"""What is left of the state after a kill -9, a power cut in the middle of the log, and flipped bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kernel.clock import ManualClock, SystemClock
from reconciler.kernel.errors import StateError
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.model import StateView
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.testing import state_rows as sample
from reconciler.workflows.stating import export, history_entries

HERE = Path(__file__).parent
PROJECT = "project-1"


def number_of(view: StateView) -> int:
    """How many commits of the stream are in a state, which must be whole: all of each or nothing of it."""
    numbers = sorted(int(address.name.removeprefix("INV-")) for address in view.bindings)
    last = numbers[-1] if numbers else 0
    assert numbers == (list(range(last + 1)) if numbers else [])
    if last:
        assert view.bindings[sample.address(0)].generation == last
        assert view.bindings[sample.address(0)].revision == last
    assert set(view.documents) == {f"doc-{number}" for number in range(1, last + 1)}
    assert view.allocations == {(f"doc-{n}", "doc-0"): str(n) for n in range(1, last + 1)}
    assert view.unsettled == ()
    return last


def check_whole(store: Store) -> int:
    last = number_of(store.view())
    assert [row.key for row in store.intents()] == [f"key-{number}" for number in range(1, last + 1)]
    assert all(row.status is model.IntentStatus.DONE for row in store.intents())
    for number in range(1, last + 1):
        assert store.stages(f"key-{number}") == [("sent", {"n": str(number)})]
    bodies = store.document_bodies(f"doc-{number}" for number in range(1, last + 1))
    assert all(row.body.startswith(f'{{"n":"{key[4:]}"') for key, row in bodies.items())
    runs = [row.entry["n"] for row in history_entries(store) if "n" in row.entry]
    assert runs == list(range(1, last + 1))
    assert verify_history(store) == []
    return last


def run_and_kill(place: Path, delay: float) -> int:
    """The last commit acknowledged before the kill; -1 when it never began."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "stream_of_commits.py"), str(place)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        if delay >= 0:
            assert process.stdout.readline() == "ready\n"
        time.sleep(abs(delay))
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split("\n")
    whole = [line for line in lines[:-1] if line.isdigit()]
    return int(whole[-1]) if whole else -1


def kill_often(place: Path, times: int, seed: int) -> None:
    chance = random.Random(seed)
    kills_between = 0
    for _ in range(times):
        acknowledged = run_and_kill(place, chance.uniform(0, 0.08))
        opened = open_store(place, PROJECT, SystemClock())
        try:
            assert opened.notices == ()
            last = check_whole(opened.store)
        finally:
            opened.store.close()
        if acknowledged >= 0:
            assert last in (acknowledged, acknowledged + 1)
            kills_between += last == acknowledged + 1


def test_after_a_kill_every_acknowledged_commit_is_there_and_none_is_torn(tmp_path: Path) -> None:
    place = tmp_path / "acme.sqlite"
    open_store(place, PROJECT, SystemClock()).store.close()
    kill_often(place, 8, seed=1)


@pytest.mark.slow
def test_after_many_kills(tmp_path: Path) -> None:
    for turn in range(12):
        place = tmp_path / f"{turn}.sqlite"
        open_store(place, PROJECT, SystemClock()).store.close()
        kill_often(place, 8, seed=100 + turn)


@pytest.mark.parametrize("delay", [0.02, 0.08, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25])
def test_a_kill_while_the_state_is_made_leaves_a_state_or_none(tmp_path: Path, delay: float) -> None:
    place = tmp_path / "state" / "acme.sqlite"
    run_and_kill(place, -delay)
    opened = open_store(place, PROJECT, SystemClock())
    try:
        check_whole(opened.store)
        assert opened.store.meta().epoch == 1
    finally:
        opened.store.close()
    names = {path.name for path in place.parent.iterdir()}
    assert names == {"acme.sqlite", "acme.sqlite.head"}


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with a state and its log as after commits, and what the state was after each of them."""
    folder = tmp_path_factory.mktemp("crashed")
    place = folder / "acme.sqlite"
    clock = ManualClock()
    store = open_store(place, PROJECT, clock).store
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    store.close()
    (folder / "acme.sqlite.head").unlink()
    store = open_store(place, PROJECT, clock).store
    versions = [export(store)]
    for number in range(1, 9):
        writes: list[model.Write] = [
            model.PutBinding(sample.binding(number)),
            model.PutDocument(sample.document(number, body='{"memo":"' + "é" * 2500 + '"}')),
            model.OpenIntent(sample.intent(number)),
            model.AppendHistory({"n": number}),
        ]
        store.commit(writes, fence=lease.fence)
        versions.append(export(store))
    kept = folder / "kept"
    kept.mkdir()
    for name in ("acme.sqlite", "acme.sqlite-wal"):
        shutil.copyfile(folder / name, kept / name)
    store.close()
    return kept, versions


class TestTornLog:
    """A power cut keeps any prefix of the write-ahead log, its last part perhaps garbled."""

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_any_prefix_is_some_earlier_state(
        self, crashed: tuple[Path, list[str]], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        kept, versions = crashed
        log = (kept / "acme.sqlite-wal").read_bytes()
        cut = data.draw(st.integers(0, len(log)))
        garbage = data.draw(st.binary(max_size=64))
        folder = tmp_path_factory.mktemp("torn")
        place = folder / "acme.sqlite"
        shutil.copyfile(kept / "acme.sqlite", place)
        (folder / "acme.sqlite-wal").write_bytes(log[:cut] + garbage)
        store = open_store(place, PROJECT, ManualClock()).store
        try:
            assert export(store) in versions
            assert verify_history(store) == []
            if cut == len(log):
                assert export(store) == versions[-1]
        finally:
            store.close()
            shutil.rmtree(folder)

    def test_the_log_holds_all_commits_until_it_is_checkpointed(self, crashed: tuple[Path, list[str]]) -> None:
        kept, versions = crashed
        assert (kept / "acme.sqlite-wal").stat().st_size > 8 * 4096
        assert len(set(versions)) == 9


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    place = tmp_path_factory.mktemp("good") / "acme.sqlite"
    store = open_store(place, PROJECT, ManualClock()).store
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    for number in range(1, 30):
        writes: list[model.Write] = [
            model.PutBinding(sample.binding(number)),
            model.PutDocument(sample.document(number, body='{"memo":"é"}')),
            model.PutAllocation(sample.allocation(number, 0, str(number))),
            model.OpenIntent(sample.intent(number)),
            model.RecordStage(f"key-{number}", "sent", {"n": str(number)}),
            model.PutGroup(sample.group(number)),
            model.PutRun(sample.run(number)),
            model.AppendHistory({"n": number}),
        ]
        store.commit(writes, fence=lease.fence)
    lease.release()
    store.close()
    return place.read_bytes()


class TestFlippedBytes:
    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_damage_is_reported_and_never_a_traceback(
        self, good: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        damaged(good, tmp_path_factory, data)

    @pytest.mark.slow
    @settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def test_much_damage_is_reported_too(
        self, good: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        damaged(good, tmp_path_factory, data)


def damaged(good: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    spoilt = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(good) - 1))
        spoilt[place] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("flipped")
    path = folder / "acme.sqlite"
    path.write_bytes(bytes(spoilt))
    try:
        store = open_store(path, PROJECT, ManualClock()).store
    except StateError:
        shutil.rmtree(folder)
        return
    uses = [store.view, store.intents, store.groups, store.runs, lambda: export(store)]
    uses += [lambda: verify_history(store), lambda: history_entries(store), lambda: commit_something(store)]
    for use in uses:
        with suppress(StateError):
            use()
    store.close()
    shutil.rmtree(folder)


def commit_something(store: Store) -> None:
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    writes: list[model.Write] = [
        model.MoveBinding(sample.address(1), sample.address(99)),
        model.DropBinding(sample.address(2)),
        model.CloseIntent("key-3", model.IntentStatus.REJECTED, raise_attempt=True),
        model.AppendHistory({"n": 1}),
    ]
    store.commit(writes, fence=lease.fence)
    lease.release()


class PowerCut(BaseException):
    """Ends the process, as far as the code under test can tell."""


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("call", ["link", "replace", "open", "fsync"])
def test_a_state_is_made_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, after: bool
) -> None:
    """Cut off before or after each of the calls that put the file in place."""
    place = tmp_path / "acme.sqlite"
    real = getattr(os, call)

    def cut(*arguments: object, **options: object) -> object:
        if after:
            real(*arguments, **options)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(os, call, cut)
        with pytest.raises(PowerCut):
            open_store(place, PROJECT, ManualClock())
    opened = open_store(place, PROJECT, ManualClock())
    try:
        assert opened.store.meta().epoch == 1
        assert len(opened.notices) <= 1
        assert check_whole(opened.store) == 0
    finally:
        opened.store.close()
    assert {path.name for path in tmp_path.iterdir()} == {"acme.sqlite", "acme.sqlite.head"}


class TestRaces:
    @pytest.mark.parametrize("made_before", [True, False])
    def test_of_several_processes_one_gets_the_lock(self, tmp_path: Path, made_before: bool) -> None:
        place = tmp_path / "state" / "acme.sqlite"
        if made_before:
            open_store(place, PROJECT, SystemClock()).store.close()
        command = [sys.executable, str(HERE / "race_for_the_lock.py"), str(place)]
        racers = [
            subprocess.Popen([*command, f"racer {n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for n in range(5)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        answers = [racer.communicate(timeout=60)[0].strip() for racer in racers]
        assert sorted(answers) == ["got 1"] + ["locked"] * 4
        opened = open_store(place, PROJECT, SystemClock())
        assert opened.notices == ()
        lock = opened.store.lock_info()
        assert lock is not None
        assert lock.holder == f"racer {answers.index('got 1')}"
        assert opened.store.meta().epoch == 1
        assert [row.serial for row in opened.store.history()] == [1, 2]
        opened.store.close()

    def test_processes_taking_over_expired_locks_never_share_a_fence(self, tmp_path: Path) -> None:
        place = tmp_path / "acme.sqlite"
        store = open_store(place, PROJECT, SystemClock()).store
        lease = store.acquire(holder="dead", command="apply", term_seconds=0)
        time.sleep(0.01)
        command = [sys.executable, str(HERE / "race_for_the_lock.py"), str(place)]
        racers = [
            subprocess.Popen([*command, f"racer {n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for n in range(4)
        ]
        answers = [racer.communicate(input="go\n", timeout=60)[0].split("\n")[1] for racer in racers]
        assert sorted(answers) == [f"got {lease.fence + 1}"] + ["locked"] * 3
        store.close()


def test_files_stay_private_after_a_crash(tmp_path: Path) -> None:
    place = tmp_path / "state" / "acme.sqlite"
    previous = os.umask(0)
    try:
        run_and_kill(place, 0.05)
    finally:
        os.umask(previous)
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.parent.iterdir() if path.exists()}
    assert modes
    assert set(modes.values()) == {0o600}
