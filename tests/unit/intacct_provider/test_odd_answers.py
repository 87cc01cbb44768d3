"""An answer that does not say what became of a write is never taken for a refusal."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from reconciler.providers.errors import Indeterminate, Rejected
from reconciler.providers.intacct.answers import (
    Fault,
    NotIntacct,
    Result,
    control_error,
    read_response,
    result_error,
)

WHO = "<authentication><status>{}</status></authentication>"
WHOLE = "<response><control><status>{}</status></control><operation>{}</operation></response>"


@pytest.mark.parametrize("status", ["", "sucess", "Failure", "aborted"])
def test_only_a_failure_that_says_so_means_that_nothing_was_done(status):
    for text in (WHOLE.format(status, WHO.format("success")), WHOLE.format("success", WHO.format(status))):
        with pytest.raises(NotIntacct, match="has no status"):
            read_response(fromstring(text))
    assert read_response(fromstring(WHOLE.format("failure", ""))).control_faults == ()
    assert read_response(fromstring(WHOLE.format("success", WHO.format("failure")))).authentication_faults == ()


@pytest.mark.parametrize(
    ("status", "kind"),
    [("", Indeterminate), ("pending", Indeterminate), ("failure", Rejected), ("aborted", Rejected)],
)
def test_a_function_without_a_known_status_may_have_been_done(status, kind):
    assert type(result_error(Result("1", "create_invoice", status))) is kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("The control id k was already used", Indeterminate),
        ("This function was previously executed and completed", Indeterminate),
        ("This function was executed before", Indeterminate),
        ("Duplicate request", Indeterminate),
        ("Request already processed", Indeterminate),
        ("The operation could not be completed: 10/31/2026 is before the first open period", Rejected),
        ("Your request could not be processed. The date is before the last closed period", Rejected),
        ("The function create_invoice failed: the invoice number INV-1 already exists", Rejected),
        ("The invoice was already reversed", Rejected),
    ],
)
def test_words_that_a_function_was_done_before_settle_nothing_and_others_refuse_it(words, kind):
    found = Result("1", "create_invoice", "failure", faults=(Fault("BL1", words),))
    assert type(result_error(found)) is kind
    assert type(control_error(found.faults)) is kind
