"""The suite's own rules: a case is overridden only with a reason, and what a world cannot do is said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reconciler.testing.cases import CASES
from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.world import Foreign, Hooks, Tax, Vocabulary


def test_overriding_a_case_without_a_word_is_refused():
    with pytest.raises(TypeError, match="test_invoice_plain overrides a case"):

        class Silent(ProviderSuite):
            def test_invoice_plain(self) -> None: ...


@pytest.mark.parametrize("options", [{}, {"reason": " "}])
def test_expecting_failure_needs_a_reason(options: dict[str, Any]):
    with pytest.raises(TypeError, match="say why"):

        class Unreasoned(ProviderSuite):
            @pytest.mark.xfail(**options)
            def test_invoice_plain(self) -> None: ...


def test_a_case_may_be_overridden_with_a_reason():
    class Reasoned(ProviderSuite):
        __test__ = False

        @pytest.mark.xfail(reason="the ERP bills in dozens")
        def test_invoice_plain(self) -> None: ...

        def test_of_its_own(self) -> None: ...

    class Deeper(Reasoned):
        __test__ = False

    with pytest.raises(TypeError, match="test_payment_in_part"):

        class Deepest(Deeper):
            def test_payment_in_part(self) -> None: ...


def test_a_hook_that_is_missing_is_listed_with_its_reason():
    hooks = Hooks(post_invoice=lambda customer, amount: "1", missing={"close_period": "periods are never closed"})
    assert hooks.lacking() == {
        "post_payment": "",
        "edit_customer": "",
        "close_period": "periods are never closed",
        "add_tracking_value": "its lines name no tracking sets",
    }


def test_the_words_of_a_world():
    words = Vocabulary(
        "400", "401", "bank", "USD", taxes=(Tax("VAT", Decimal(10)),), foreign=Foreign("EUR", Decimal(2))
    )
    tokens = words.tokens("a1")
    assert tokens["tax10"] == '"VAT"'
    assert tokens["x"] == "a1"
    assert "terms" not in tokens
    assert (tokens["foreign"], tokens["rate"]) == ("EUR", "2")


def test_every_case_is_a_method_and_says_what_it_is_about():
    for case in CASES:
        method = getattr(ProviderSuite, f"test_{case.name}")
        assert method.__doc__ == case.about
        assert case.about.endswith(".")


def test_slow_books_may_put_cases_off():
    class Slow(ProviderSuite):
        __test__ = False
        slow_cases = frozenset({"bulk_of_two_hundred"})

    marks = {mark.name for mark in getattr(Slow.test_bulk_of_two_hundred, "pytestmark", [])}
    assert marks == {"slow"}
    assert not hasattr(Slow.test_invoice_plain, "pytestmark")


def test_slow_books_may_put_checks_off_too():
    class Slow(ProviderSuite):
        __test__ = False
        slow_cases = frozenset({"killed"})

    marks = {mark.name for mark in getattr(Slow.test_killed, "pytestmark", [])}
    assert marks == {"slow"}
    assert not hasattr(ProviderSuite.test_killed, "pytestmark")
    with pytest.raises(AttributeError, match="test_kilt"):

        class Mistaken(ProviderSuite):
            slow_cases = frozenset({"kilt"})
