"""What a corrected document comes to: the lines that a chain of original, supplements and credits nets to. Pure.

Which line a correction changed is not told by the ERP. Lines whose account, taxes and tracking no correction
touched stay as they were issued; the others become what is left, with the tax that was posted.
"""

from __future__ import annotations

from decimal import Decimal, DivisionByZero, InvalidOperation

from reconciler.importing.model import Record
from reconciler.importing.survey import Survey
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.buckets import Bucket, Sums, bucket_lines, buckets
from reconciler.plan.matching import Member, net_of
from reconciler.resources.content import typed
from reconciler.resources.kinds import Content

_MOST_DECIMALS = 10


class Ended(Exception):
    """The chain nets to nothing: it was credited in full."""


def effective_lines(survey: Survey, record: Record, content: Content) -> Content:
    """`lines` in the ERP's ids, and nothing where the chain is one document. Raises Ended, ValueError."""
    generation = max(member.generation for member in record.members)
    members = [member for member in record.members if member.generation == generation]
    if len(members) < 2 or "lines" not in content:
        return {}
    address = survey.address(record)
    net = net_of(survey.index, address, [(member.row, member.role) for member in members])
    original = _sums(survey, members[0])
    if net is None or original is None:
        raise ValueError("what its corrections come to cannot be computed: a tax rate is unknown")
    if not net:
        raise Ended
    lines: list[Content] = []
    done: set[Bucket] = set()
    for line in content["lines"]:
        bucket = _bucket_of(survey, record, content, line)
        if net.get(bucket) == original.get(bucket):
            lines.append(line)
        elif bucket not in done:
            done.add(bucket)
            if bucket in net:
                alone = sum(_bucket_of(survey, record, content, other) == bucket for other in content["lines"]) == 1
                lines.append(_left(line, net[bucket], bool(alone), content.get("prices") == "inclusive"))
    for bucket, sums in net.items():
        if bucket not in original:
            text = str(content["lines"][0].get("description") or "corrected")
            lines.extend(_in_ids(survey, item, sums, content) for item in bucket_lines({bucket: sums}, 1, text))
    return {"lines": lines}


def _sums(survey: Survey, member: Member) -> dict[Bucket, Sums] | None:
    live = typed(member.row.kind, member.row.content())
    address = survey.address(survey.owners[member.row.kind, member.row.remote_id])
    return buckets(survey.index, survey.connection, survey.index.live_content(address, member.row, live))


def _bucket_of(survey: Survey, record: Record, content: Content, line: Content) -> Bucket:
    """Where one line's money goes, in identities; the header's tracking counts too."""
    only = {**content, "lines": [{**line, "unit_price": line.get("unit_price", ZERO)}]}
    named = survey.index.live_content(survey.address(record), record.row, only)
    found = named["lines"][0]
    tracking = tuple(sorted({**(named.get("tracking") or {}), **(found.get("tracking") or {})}.items()))
    taxes = () if content.get("prices") == "untaxed" else tuple(sorted(found.get("taxes") or ()))
    return Bucket(found.get("account") or f"item:{found.get('item')}", taxes, tracking)


def _left(line: Content, sums: Sums, alone: bool, inclusive: bool) -> Content:
    """One line worth what is left: of a lone line the price is kept where a quantity tells the rest."""
    base = sums.gross if inclusive else sums.net
    kept: Content = {
        key: line[key] for key in ("id", "item", "account", "description", "taxes", "tracking") if key in line
    }
    if not alone:
        kept.pop("id", None)
    price, quantity = line.get("unit_price"), line.get("quantity", Decimal(1))
    kept |= {"quantity": Decimal(1), "unit_price": base}
    if alone and price and not line.get("discount"):
        kept |= _likeliest(base, quantity, price)
    if line.get("taxes"):
        kept["tax_amount"] = sums.tax
    return kept


def _likeliest(base: Decimal, quantity: Decimal, price: Decimal) -> Content:
    """Which of a line's quantity and price a correction changed is not told: whole pieces, else a plain price."""
    fewer, cheaper = _exactly(base, price), _exactly(base, quantity)
    if fewer is not None and fewer > 0 and (_places(fewer) <= _places(quantity)):
        return {"quantity": fewer, "unit_price": price}
    if cheaper is not None and _places(cheaper) <= max(_places(price), 2):
        return {"quantity": quantity, "unit_price": cheaper}
    if fewer is not None and fewer > 0:
        return {"quantity": fewer, "unit_price": price}
    return {} if cheaper is None else {"quantity": quantity, "unit_price": cheaper}


def _places(number: Decimal) -> int:
    return len(decimal_text(number).partition(".")[2])


def _exactly(amount: Decimal, by: Decimal) -> Decimal | None:
    """The quotient where it is exact and short enough to declare."""
    try:
        quotient = amount / by
    except (DivisionByZero, InvalidOperation):
        return None
    return quotient if _places(quotient) <= _MOST_DECIMALS and quotient * by == amount else None


def _in_ids(survey: Survey, line: Content, sums: Sums, content: Content) -> Content:
    """A line of identities as one of the ERP's ids: whatever a live document refers to has one."""

    def id_of(identity: str) -> str:
        return survey.index.remote_id(identity) or identity

    found = dict(line)
    for field in ("item", "account"):
        if field in found:
            found[field] = id_of(found[field])
    if "taxes" in found:
        found["taxes"] = [id_of(tax) for tax in found["taxes"]]
    if "tracking" in found:
        found["tracking"] = {id_of(key): value for key, value in found["tracking"].items()}
    if content.get("prices") == "inclusive":
        found["unit_price"] = sums.gross
    return found
