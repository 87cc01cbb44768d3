"""What an ERP would refuse of a document, by its capabilities: known before it is sent, and said in the plan."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kernel.address import Address
from reconciler.plan.buckets import currency_of, master
from reconciler.plan.draft import Draft
from reconciler.plan.implied_sets import value_problem
from reconciler.plan.model import Reason
from reconciler.providers.capabilities import KindCapabilities
from reconciler.resources.kinds import Content

Problem = tuple[Reason, str, str]
_ACCOUNT = ("account",)


def document_problem(draft: Draft, address: Address, content: Content) -> Problem | None:
    """Why a content in identity space does not fit: its customer's currency, a line's account or tracking."""
    return (
        _currency(draft, address, content) or _accounts(draft, address, content) or _values(draft, address, content)
    )


def number_problem(draft: Draft, address: Address, number: str | None) -> Problem | None:
    """A number that is longer than the ERP takes."""
    longest = draft.capabilities(address).number_length
    if number is None or not longest or len(number) <= longest:
        return None
    named = f"its name, {number}," if number == address.name else number
    text = f"its number is {named} of {len(number)} characters, and {_provider(draft, address)} takes {longest}"
    return Reason.UNSUPPORTED, text, "Declare a shorter `number`."


def how_to_keep(capabilities: KindCapabilities, missing: Sequence[str]) -> str:
    """What can be done about declared fields that the connection does not have."""
    ways = [
        f"For {name}: {capabilities.missing[name]} on the connection."
        for name in missing
        if name in capabilities.missing
    ]
    if not ways:
        return "Take it out of the manifest, or keep it on a connection that has it."
    return f"{' '.join(ways)} Else take it out of the manifest."


def _provider(draft: Draft, address: Address) -> str:
    return draft.index.snapshot(address.connection).provider


def _currency(draft: Draft, address: Address, content: Content) -> Problem | None:
    if not draft.capabilities(address).customers_currency:
        return None
    customer = {"customer": content.get("customer")}
    kept, currency = (currency_of(draft.index, address.connection, one) for one in (customer, content))
    if kept == currency:
        return None
    text = f"the customer is kept in {kept}, and {_provider(draft, address)} takes no document in {currency} of it"
    return Reason.UNSUPPORTED, text, f"Declare a customer in {currency} for it."


def _accounts(draft: Draft, address: Address, content: Content) -> Problem | None:
    closed = draft.capabilities(address).closed_accounts
    for at, line in enumerate(content.get("lines", ()) if closed else ()):
        account = str(line.get("account") or "")
        type_ = master(draft.index, address.connection, "account", account, "type") if account else None
        if type_ in closed:
            name = draft.index.display(address.connection, _ACCOUNT, account)
            words = str(type_).replace("_", " ")
            text = f"lines[{at}].account: {name} is an {words} account, which lines cannot post to"
            return Reason.UNSUPPORTED, text, "Post the line to another account."
    return None


def _values(draft: Draft, address: Address, content: Content) -> Problem | None:
    """A value that its category does not have. Where lines name sets, these have been looked at."""
    if draft.index.keeps_sets(address.connection):
        return None
    parts = (content, *content.get("lines", ()))
    combined = {pair for part in parts for pair in (part.get("tracking") or {}).items()}
    return value_problem(draft, address.connection, tuple(sorted(combined)))
