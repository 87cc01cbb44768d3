"""Cases of ERPs that keep each combination of tracking values as a record, which lines name."""

from __future__ import annotations

from reconciler.providers.capabilities import Verb
from reconciler.testing.cases.invoicing import invoice
from reconciler.testing.cases.masters import ACME
from reconciler.testing.suite_cases import Blocked, ByHand, Case, Desired

_KEEPS_SETS = (("tracking_set", Verb.CREATE),)
_ONE, _TWO = ByHand("add_tracking_value", ("V<x>",)), ByHand("add_tracking_value", ("W<x>",))


def _set(value: str = "V<x>", fields: str = "") -> str:
    return f"tracking_sets:\n  S-<x>: {{{fields}tracking: {{<category>: {value}}}}}\n"


def _tracked(value: str = "V<x>", name: str = "INV-<x>") -> str:
    line = "description: Services, account: <income>, quantity: 1, unit_price: 100.00"
    return invoice(f"{line}, tracking: {{<category>: {value}}}", name=name)


def _second(value: str = "V<x>") -> str:
    return _tracked(value, "INV-2-<x>").removeprefix("invoices:\n")


SETS: tuple[Case, ...] = (
    Case(
        "tracking_set_declared",
        "A declared set is made before the line that means it; the next line finds it there.",
        (
            _ONE,
            Desired(
                _set() + ACME + _tracked(),
                verbs=("create", "create", "create"),
                worth={"invoice.INV-<x>": "100 100"},
            ),
            Desired(_set() + ACME + _tracked() + _second(), verbs=("create",)),
        ),
        can=_KEEPS_SETS,
    ),
    Case(
        "tracking_set_implied",
        "A combination nobody has is made for the lines that imply it, once.",
        (
            _ONE,
            Desired(
                ACME + _tracked() + _second(),
                verbs=("create", "create", "create", "create"),
                worth={"invoice.INV-<x>": "100 100", "invoice.INV-2-<x>": "100 100"},
            ),
            Desired(ACME + _tracked() + _second(), verbs=()),
        ),
        can=_KEEPS_SETS,
    ),
    Case(
        "tracking_set_of_others",
        "A set that is there is used, and not made again under another name; it is adopted on request.",
        (
            _ONE,
            Desired(_set()),
            Desired("removed:\n  - {address: tracking_set.S-<x>, action: forget}\n", verbs=()),
            Desired(ACME + _tracked(), verbs=("create", "create")),
            Blocked(
                _set().replace("S-<x>:", "T-<x>:") + ACME + _tracked(), {"tracking_set.T-<x>": "exists_unmanaged"}
            ),
        ),
        can=_KEEPS_SETS,
    ),
    Case(
        "tracking_set_renamed_archived_and_back",
        "A set's name is changed; an archived one takes no lines, and an active one does again.",
        (
            _ONE,
            Desired(_set(fields="name: First <x>, ")),
            Desired(_set(fields="name: Second <x>, "), verbs=("update",)),
            Desired(_set(fields="name: Second <x>, status: archived, "), verbs=("update",)),
            Blocked(
                _set(fields="name: Second <x>, status: archived, ") + ACME + _tracked(),
                {"invoice.INV-<x>": "reference_unresolved"},
            ),
            Desired(
                _set(fields="name: Second <x>, status: active, ") + ACME + _tracked(),
                verbs=("update", "create", "create"),
            ),
        ),
        can=(*_KEEPS_SETS, ("tracking_set", Verb.UPDATE)),
    ),
    Case(
        "tracking_set_of_a_reissue",
        "Other tracking on a posted line: credited under what it was, issued anew under what it is.",
        (
            _ONE,
            _TWO,
            Desired(ACME + _tracked()),
            Desired(
                ACME + _tracked("W<x>"),
                allow=("credit_and_reissue:invoice.INV-<x>",),
                worth={"invoice.INV-<x>": "100 0", "invoice.INV-<x>/reissue.2": "100 100"},
            ),
        ),
        can=_KEEPS_SETS,
    ),
    Case(
        "tracking_value_that_is_none",
        "A value that its category does not have is refused before anything is written.",
        (Desired(ACME), Blocked(ACME + _tracked("U<x>"), {"invoice.INV-<x>": "reference_unresolved"})),
        can=_KEEPS_SETS,
    ),
)
