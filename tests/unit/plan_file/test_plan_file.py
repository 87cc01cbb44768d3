"""Plan files: written whole, private and canonical; refused when anything about them was altered."""

from __future__ import annotations

import os
import stat

import pytest

from reconciler.kernel.canonical import canonical_json, digest_text, parse_canonical
from reconciler.kernel.errors import InvalidInput, PlanRefused
from reconciler.plan_file import plan_digest, plan_document, plan_text, read_plan, write_plan
from tests.unit.sample_plans import correction_plan, drift_plan, make_plan, mixed_plan, small_plan


@pytest.mark.parametrize("make", [make_plan, small_plan, mixed_plan, correction_plan, drift_plan])
def test_what_is_written_is_read(tmp_path, make):
    path = tmp_path / "a.plan"
    write_plan(make(), path)
    assert read_plan(path) == make()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a.plan"]


def test_the_text_is_canonical_and_carries_its_digest(tmp_path):
    path = tmp_path / "a.plan"
    write_plan(mixed_plan(), path)
    text = path.read_text()
    assert text.endswith("}\n")
    document = parse_canonical(text)
    assert canonical_json(document) + "\n" == text
    assert document["reconciler"]["digest"] == plan_digest(mixed_plan())
    assert document == plan_document(mixed_plan())
    document["reconciler"]["digest"] = ""
    assert digest_text(canonical_json(document)) == plan_digest(mixed_plan())


BITS = (0x01, 0x20, 0x80)


@pytest.mark.parametrize("every_bit", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["one bit", "bits"])
def test_every_flipped_byte_is_refused(tmp_path, every_bit):
    good = (plan_text(small_plan()) + "\n").encode()
    path = tmp_path / "a.plan"
    for place in range(len(good)):
        for bit in BITS if every_bit else (BITS[place % 3],):
            path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
            with pytest.raises(PlanRefused) as caught:
                read_plan(path)
            assert caught.value.exit_code == 5


def test_every_cut_and_every_addition_is_refused(tmp_path):
    good = (plan_text(small_plan()) + "\n").encode()
    path = tmp_path / "a.plan"
    for data in [*(good[:place] for place in range(0, len(good), 7)), good + b"\n", b" " + good, good + good]:
        path.write_bytes(data)
        with pytest.raises(PlanRefused):
            read_plan(path)


def test_a_resealed_forgery_is_refused(tmp_path):
    """A digest is no signature: but what the tools of reviewers show cannot differ from what is applied."""
    document = plan_document(mixed_plan())
    document["resource_changes"][0]["change"]["actions"] = ["no-op"]
    document["reconciler"]["digest"] = ""
    document["reconciler"]["digest"] = digest_text(canonical_json(document))
    path = tmp_path / "a.plan"
    path.write_text(canonical_json(document) + "\n")
    with pytest.raises(PlanRefused, match="not written as this version writes"):
        read_plan(path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.plan"
    write_plan(small_plan(), path)
    old = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidInput, match="No space left"):
        write_plan(mixed_plan(), path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.plan"]


def test_no_file_is_an_error_of_input(tmp_path):
    with pytest.raises(InvalidInput, match="there is no plan file"):
        read_plan(tmp_path / "none.plan")
    with pytest.raises(InvalidInput, match="cannot write the plan file"):
        write_plan(small_plan(), tmp_path / "no" / "folder.plan")


def test_folders_and_pipes_are_refused(tmp_path):
    with pytest.raises(PlanRefused, match="not a regular file"):
        read_plan(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PlanRefused, match="not a regular file"):
        read_plan(tmp_path / "pipe")


def test_large_files_are_refused_unread(tmp_path):
    path = tmp_path / "a.plan"
    with path.open("wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)
    with pytest.raises(PlanRefused, match="larger than"):
        read_plan(path)
