"""The exactly-once promise under users, clerks, faults, crashes and time, in every class and numbering."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from reconciler.providers.capabilities import DeduplicationClass, Numbering
from reconciler.testing.machine import COUNTS, Machine
from reconciler.testing.machine_world import Variant

A, B, C, D = DeduplicationClass
NUMBERINGS = (Numbering.OURS_ACCEPTED, Numbering.ASSIGNED, Numbering.ASSIGNED_IN_DATE_ORDER)
EXAMPLES = int(os.environ.get("RECONCILER_EXAMPLES", "0"))
STEPS = int(os.environ.get("RECONCILER_STEPS", "25"))


def variants(klass: DeduplicationClass, **more: object) -> tuple[Variant, ...]:
    return tuple(Variant(klass, numbering, **more) for numbering in NUMBERINGS)  # type: ignore[arg-type]


class ClassA(Machine):
    variants = variants(A)


class ClassB(Machine):
    variants = variants(B)


class ClassC(Machine):
    variants = variants(C, settle=30)


class ClassCResending(Machine):
    variants = variants(C, settle=30, resend=True)


class ClassD(Machine):
    variants = variants(D)


class WorseERPs(Machine):
    variants = (
        Variant(A, asynchronous=True),
        Variant(C, asynchronous=True, settle=60, resend=True),
        Variant(A, two_stage=True),
        Variant(B, Numbering.ASSIGNED, two_stage=True),
        Variant(C, two_stage=True, settle=60, resend=True),
        Variant(D, two_stage=True),
        Variant(A, as_document=True),
        Variant(C, as_document=True, settle=60, resend=True),
        Variant(C, as_document=True, allocate_at_create=False, settle=None),
        Variant(D, as_document=True),
        Variant(A, can_unallocate=False),
        Variant(A, allocate_at_create=False),
        Variant(B, Numbering.ASSIGNED, settle=None),
        Variant(A, batch_atomic=True),
        Variant(B, batch_size=1),
    )


MACHINES = (ClassA, ClassB, ClassC, ClassCResending, ClassD, WorseERPs)


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not EXAMPLES,  # the same worlds at each change; other ones in a campaign
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def run(machine: type[Machine], examples: int, request: pytest.FixtureRequest) -> None:
    """Run a machine; what was tried is told at the end of the session."""
    COUNTS.clear()
    try:
        run_state_machine_as_test(machine, settings=bounded(examples))  # type: ignore[no-untyped-call]
    finally:
        request.node.user_properties.append(("machine", dict(COUNTS)))


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_promises_hold(machine: type[Machine], request: pytest.FixtureRequest) -> None:
    run(machine, EXAMPLES or 14, request)
    assert COUNTS["examples"] >= (EXAMPLES or 14)
    assert COUNTS["convergences"] >= COUNTS["examples"]


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_promises_hold_for_long(machine: type[Machine], request: pytest.FixtureRequest) -> None:
    """As many examples as RECONCILER_EXAMPLES says, of RECONCILER_STEPS steps each."""
    run(machine, EXAMPLES or 1000, request)
    assert COUNTS["crashes"] > 0
    assert COUNTS["faults"] > 0
