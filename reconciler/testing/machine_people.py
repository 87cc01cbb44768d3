"""The people around the tool: who edits the manifests, who works in the ERP, who follows a printed command.

They act at random, as strategies tell them; what they break, the tool must stand.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from reconciler.apply.report import ApplyReport, StepOutcome
from reconciler.kernel.address import Address
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.errors import InvalidInput
from reconciler.plan.freezing import thaw_step
from reconciler.plan.model import Plan
from reconciler.providers.operations import Allocate, Create, subject
from reconciler.resources.kinds import KINDS as ALL_KINDS
from reconciler.resources.resource import Declaration
from reconciler.sandboxes.ledger.commands import Command
from reconciler.sandboxes.ledger.records import Record
from reconciler.testing.machine_world import World
from reconciler.workflows.recovering import RecoverRequest

Manifest = dict[str, Any]
LISTS = ("moved", "removed", "adopt")
_ALLOW = re.compile(r"--allow (\S+)")
_RESOLVE = re.compile(r"reconciler recover --resolve (\S+) --as created:ID\|absent")

_ABANDON = re.compile(r"reconciler recover --abandon (\S+)")


class Author:
    """Who edits the manifests. An edit that the loader refuses is taken back, as a reviewer would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.manifest: Manifest = {"tax_rates": {"VAT": {"rate": "10", "account": "2200"}}}
        self.dropped: dict[tuple[str, str], Any] = {}
        self.declaration: Declaration = world.declare(self.manifest)

    def edit(self, change: Callable[[Manifest], None]) -> bool:
        edited = copy.deepcopy(self.manifest)
        change(edited)
        try:
            self.declaration = self.world.declare(edited)
        except InvalidInput:
            self.world.declare(self.manifest)
            return False
        self.manifest = edited
        return True

    def has(self, plural: str, name: str) -> bool:
        return name in self.manifest.get(plural, {})

    def put(self, plural: str, name: str, fields: dict[str, Any]) -> bool:
        def change(manifest: Manifest) -> None:
            manifest.setdefault(plural, {})[name] = fields
            _unlist(manifest, plural, name)

        return self.edit(change)

    def amend(self, plural: str, name: str, **fields: Any) -> bool:
        """Set fields; None takes one out."""

        def change(manifest: Manifest) -> None:
            content = manifest[plural][name]
            for key, value in fields.items():
                content.pop(key, None) if value is None else content.__setitem__(key, value)

        return self.edit(change) if self.has(plural, name) else False

    def drop(self, plural: str, name: str, action: str = "") -> bool:
        """Take a resource out; with an action, say what is to become of it."""
        if not self.has(plural, name):
            return False
        content = self.manifest[plural][name]

        def change(manifest: Manifest) -> None:
            del manifest[plural][name]
            _unlist(manifest, plural, name)
            if action:
                entry = {"address": f"{_singular(plural)}.{name}", "action": action, "reason": "not wanted"}
                manifest.setdefault("removed", []).append(entry)

        done = self.edit(change)
        if done:
            self.dropped[plural, name] = content
        return done

    def restore(self, plural: str, name: str) -> bool:
        return self.put(plural, name, self.dropped[plural, name]) if (plural, name) in self.dropped else False

    def rename(self, plural: str, old: str, new: str) -> bool:
        if not self.has(plural, old) or self.has(plural, new):
            return False
        kind = _singular(plural)

        def change(manifest: Manifest) -> None:
            manifest[plural][new] = manifest[plural].pop(old)
            _unlist(manifest, plural, new)
            earlier = [item for item in manifest.get("moved", []) if item["to"] == f"{kind}.{old}"]
            manifest["moved"] = [item for item in manifest.get("moved", []) if item not in earlier]
            origin = earlier[0]["from"] if earlier else f"{kind}.{old}"
            if origin != f"{kind}.{new}":
                manifest["moved"].append({"from": origin, "to": f"{kind}.{new}"})
            for contents in (manifest.get(key, {}) for key in ("invoices", "credit_notes", "payments")):
                for content in contents.values():
                    if content.get(kind) == old:
                        content[kind] = new
                    for item in content.get("allocations", []):
                        if item.get(kind) == old:
                            item[kind] = new

        return self.edit(change)

    def contents(self) -> dict[Address, dict[str, Any]]:
        return {resource.address: resource.content() for resource in self.declaration.resources}


def _singular(plural: str) -> str:
    return next(kind.name for kind in ALL_KINDS.values() if kind.plural == plural)


def _unlist(manifest: Manifest, plural: str, name: str) -> None:
    """A declared name is neither removed nor moved away; one that is gone is no move's destination."""
    text = f"{_singular(plural)}.{name}"
    manifest["removed"] = [item for item in manifest.get("removed", []) if item["address"] != text]
    manifest["adopt"] = [item for item in manifest.get("adopt", []) if item["address"] != text]
    manifest["moved"] = [item for item in manifest.get("moved", []) if text not in (item["from"], item["to"])]


class Clerk:
    """Who works in the ERP. What the ERP refuses does not happen; `touched` are the records they had in hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.touched: set[str] = set()

    def do(self, command: Command, *touched: str) -> bool:
        done = isinstance(self.world.ledger.run([command])[0], Record)
        if done:
            self.touched.update(touched)
        return done

    def records(self, *kinds: str, phases: Sequence[str] = ()) -> list[Record]:
        found = self.world.ledger.all_records(kinds).values()
        return [record for record in found if not phases or record.phase in phases]


def consents(plan: Plan) -> list[str]:
    """What the plan's own words offer to allow: one text per printed flag."""
    words = [text for change in plan.blocked for text in (*(offer.flag for offer in change.offers), change.hint)]
    return [found for text in words for found in _ALLOW.findall(text)]


class Operator:
    """Who runs the printed commands, looking into the books for what only a person can know."""

    def __init__(self, world: World, recover: Callable[[RecoverRequest], ApplyReport]) -> None:
        self.world = world
        self.recover = recover

    def follow(self, report: ApplyReport) -> int:
        """Run what the report prints for each unknown outcome; how many commands were run."""
        commands = list(
            dict.fromkeys(
                result.command
                for result in (*report.results, *report.recovered)
                if result.outcome is StepOutcome.UNKNOWN
            )
        )
        assert all(commands), "an unknown outcome without a command that settles it"
        for command in commands:
            if (match := _RESOLVE.fullmatch(command)) is not None:
                self.recover(RecoverRequest(resolve=match[1], word=self.word(match[1])))
            else:
                assert command == "reconciler recover", command
                self.recover(RecoverRequest())
        return len(commands)

    def give_up(self, report: ApplyReport) -> int:
        """End the corrections that the ERP refuses to have finished, as the report says; how many."""
        groups = {match[1] for result in report.results if (match := _ABANDON.fullmatch(result.command))}
        for group in sorted(groups):
            self.recover(RecoverRequest(abandon=group))
        return len(groups)

    def word(self, key: str) -> str:
        """`created:ID` or `absent`, by looking."""
        row = next(row for row in self.world.intents if row.key == key)
        step = thaw_step(parse_canonical(row.step))
        if isinstance(step.operation, Create):
            ids = [made.remote_id for made in self.world.ledger.made if made.reference == step.reference]
            standing = [one for one in ids if (step.operation.kind, one) in self.world.ledger.all_records()]
            return f"created:{standing[0]}" if standing else "absent"
        assert isinstance(step.operation, Allocate), step.operation
        kind, source = subject(step.operation)
        record = self.world.ledger.all_records((kind,))[kind, source or ""]
        place = (step.operation.target_kind, step.operation.target_id)
        settled = sum(
            (Decimal(item.amount) for item in record.allocations if (item.target_kind, item.target_id) == place),
            Decimal(0),
        )
        return f"created:{source}" if settled == step.operation.amount else "absent"
