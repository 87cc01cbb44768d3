"""Tracking sets that nobody declares and lines imply: made by the plan itself, under their values' names.

Such a set is bound like any other and marked `_implied`: no plan reports it as gone from the manifests, and
when its last line goes it stays in the ERP as it is. Where there is any doubt (its name or code is taken, the ERP
would not keep it as it is) nothing is guessed: the lines are blocked, with the YAML that settles it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kernel.address import Address, check_name
from reconciler.kernel.canonical import canonical_json
from reconciler.plan.desired import desired_of
from reconciler.plan.draft import Draft, step_id
from reconciler.plan.model import Action, Effect, Reason, Role, Step
from reconciler.plan.set_words import CATEGORY, in_words, name_for, yaml_of
from reconciler.providers.capabilities import DeduplicationClass, Support, Verb
from reconciler.providers.operations import Create
from reconciler.resources.kinds import Content
from reconciler.resources.tracking import TRACKING_SET, Combination

Problem = tuple[Reason, str, str]
MARK = "_implied"
_DIGEST = "implied"


@dataclass(slots=True)
class Implied:
    """A set this plan makes for lines: the step that does, and the addresses whose lines need it."""

    step: Step
    users: set[Address] = field(default_factory=set)


def refusal(draft: Draft, connection: str, combined: Combination) -> Problem | None:
    """Why no set can be implied by a combination that is nobody's; None when one can."""
    key = connection, combined
    if key in draft.implied:
        return None
    if key not in draft.not_implied:
        problem = _content(draft, connection, combined)[1]
        if problem is None:
            return None
        draft.not_implied[key] = problem
    return draft.not_implied[key]


def imply(draft: Draft, user: Address, combined: Combination) -> str:
    """The id of the step that makes the set for a combination `refusal` has nothing against."""
    connection = user.connection
    made = draft.implied.get((connection, combined))
    if made is None:
        content, problem = _content(draft, connection, combined)
        assert problem is None, problem
        address = Address(connection, TRACKING_SET, name_for(draft.index, connection, combined))
        made = draft.implied[connection, combined] = Implied(_step(draft, address, content))
    made.users.add(user)
    return made.step.id


def show_implied(draft: Draft) -> None:
    """A change for each set that was implied, naming whose lines do."""
    for (connection, combined), made in draft.implied.items():
        first, *more = sorted(made.users)
        others = f" and {len(more)} more" if more else ""
        operation = made.step.operation
        assert isinstance(operation, Create)
        ordered = sorted(combined, key=lambda pair: draft.index.display(connection, CATEGORY, pair[0]))
        shown = {**operation.content, "tracking": dict(ordered)}
        draft.change(
            made.step.address,
            Action.CREATE,
            Reason.IMPLIED,
            detail=f"implied by the lines of {draft.label(first)}{others}",
            after=draft.shown(made.step.address, TRACKING_SET, shown),
            steps=(made.step.id,),
        )


def is_implied(declared: Content) -> bool:
    """Whether a binding's last-applied content is that of a set nobody declared."""
    return MARK in declared


def _content(draft: Draft, connection: str, combined: Combination) -> tuple[Content, Problem | None]:
    """What would be created, in identity space; and what is against it."""
    index, words = draft.index, in_words(draft.index, connection, combined)
    name = name_for(index, connection, combined)
    content: Content = {"code": name, "tracking": dict(combined)}

    def declare(why: str, *, rename: bool = True) -> tuple[Content, Problem]:
        hint = f"Declare it: {yaml_of(index, connection, combined, other_name=rename)}"
        return content, (Reason.REFERENCE_UNRESOLVED, f"no tracking set has just {words}{why}", hint)

    creates = index.snapshot(connection).capabilities.kind(TRACKING_SET).verb(Verb.CREATE)
    if creates.support not in (Support.FULL, Support.CONDITIONAL):
        hint = "Make it in the ERP, or track the lines by other values."
        return content, (Reason.REFERENCE_UNRESOLVED, f"no tracking set has just {words}", hint)
    if index.inputs.state.meta.unconfirmed and creates.deduplication is DeduplicationClass.D:
        return declare("")
    if problem := value_problem(draft, connection, combined):
        return content, problem
    if check_name(name):
        return declare(", and its values make no name")
    address = Address(connection, TRACKING_SET, name)
    if problem := _taken(draft, address, words):
        return content, problem
    normalize = index.inputs.normalize
    if normalize is not None:
        said = {index.display(connection, CATEGORY, category): value for category, value in combined}
        kept = normalize(connection, TRACKING_SET, {**content, "tracking": said})
        if kept.refused:
            return declare(f", and the ERP keeps none with the code {name!r}: {'; '.join(kept.refused)}")
        if kept.content["tracking"] != said:
            return declare(", and the ERP would keep its values otherwise", rename=False)
        content["code"] = str(kept.content["code"])
    if _code_taken(draft, address, str(content["code"])):
        return declare(f", and the code {content['code']!r} is another one's")
    return content, None


def _taken(draft: Draft, address: Address, words: str) -> Problem | None:
    """Why an implied set cannot have its address: it has one already, or somebody else does."""
    index, label = draft.index, draft.label(address)
    if any(row.address == address and not row.may_be_resent for row in index.inputs.state.unsettled):
        text = f"{label}, for {words}: an earlier request for it has no known outcome"
        return Reason.REFERENCE_BLOCKED, text, "Run: reconciler recover"
    chain = index.chains.get(address)
    if chain is not None and address not in index.declared and is_implied(chain.declared()) and chain.current:
        row = index.live(chain.current)
        where = "combines something else now" if row is not None else "is no longer in the ERP"
        text = f"{label} was made for {words}, and {where}"
        return (
            Reason.REFERENCE_BLOCKED,
            text,
            f"`removed: [{{address: {label}, action: forget}}]`, then plan again.",
        )
    if address in index.declared or chain is not None or index.chain_id(address) in index.by_chain_id:
        text = f"no tracking set has just {words}, and {label} is the name of another one"
        return Reason.REFERENCE_UNRESOLVED, text, "Declare one for it under a name of its own."
    return None


def _code_taken(draft: Draft, address: Address, code: str) -> bool:
    """Whether a set, live, declared or implied before, has a code already. Codes differ by more than case."""
    index, folded = draft.index, code.casefold()
    memo, key = index.memo, ("codes of tracking sets", address.connection, "")
    if key not in memo:
        rows = index.snapshot(address.connection).rows.get(TRACKING_SET, {}).values()
        declared = (
            str(resource.content().get("code", one.name))
            for one, resource in index.declared.items()
            if one.kind == TRACKING_SET and one.connection == address.connection
        )
        memo[key] = {one.casefold() for one in (*declared, *(row.code or "" for row in rows))}
    implied = (
        made.step.operation.content["code"]
        for made in draft.implied.values()
        if made.step.address.connection == address.connection and isinstance(made.step.operation, Create)
    )
    return folded in memo[key] or any(str(one).casefold() == folded for one in implied)


def _step(draft: Draft, address: Address, content: Content) -> Step:
    index = draft.index
    document = index.chain_id(address)
    wire, holes = index.on_the_wire(TRACKING_SET, content, draft.creators, "content")
    declared = canonical_json({**content, MARK: True})
    step = Step(
        id=step_id(address, "", "create"),
        address=address,
        label="",
        operation=Create(TRACKING_SET, wire),
        operation_key="create",
        document_id=document,
        reference=draft.reference(address, TRACKING_SET, document, address.name),
        role=Role.ORIGINAL,
        holes=holes,
        depends_on=tuple(sorted({hole.step for hole in holes} | widening(draft, content))),
        effect=Effect(declared=declared, declared_digest=_DIGEST),
        description=f"create tracking set {address.name}",
    )
    draft.use_place(address, TRACKING_SET)
    draft.add_step(step)
    return step


# ---- categories and their values ----


def widening(draft: Draft, content: Content) -> set[str]:
    """Updates of this plan to the categories of a set: one may add the value that the set is made of."""
    addresses = (draft.index.address_of(category) for category in content.get("tracking") or ())
    updates = {step_id(address, "", "update") for address in addresses if address is not None}
    return updates & draft.steps.keys()


def value_problem(draft: Draft, connection: str, combined: Combination) -> Problem | None:
    """A value that its category does not have, and will not have when this plan is done."""
    for category, value in combined:
        values = _values(draft, connection, category)
        if values is None or value in values:
            continue
        name = draft.index.display(connection, CATEGORY, category)
        return (
            Reason.REFERENCE_UNRESOLVED,
            f"tracking.{name}: {value!r} is no value of that category",
            f"Its values are: {', '.join(values)}. Declare it among them, or make it in the ERP.",
        )
    return None


def _values(draft: Draft, connection: str, category: str) -> list[str] | None:
    """A category's values once this plan is done; None where they are not known."""
    index = draft.index
    address = index.address_of(category)
    if address is not None and address in index.declared and address not in draft.blocked:
        return [str(value) for value in desired_of(index, index.declared[address], "").content["values"]]
    remote = index.remote_id(category)
    row = index.snapshot(connection).row("tracking_category", remote) if remote else None
    return [str(value) for value in row.content().get("values") or ()] if row is not None else None
