"""Tending the state by hand: rename an address, forget addresses, put an exported state back.

Each takes the lock, writes who did it to the history, and is refused while a request is under way that it would
touch. The ERP is neither read nor written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.apply.holding import holder, take_lock
from reconciler.kernel.address import Address
from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import InvalidInput, StateError
from reconciler.state.model import AppendHistory, DropBinding, MoveBinding, NewEpoch, StateView, Write
from reconciler.state.protocol import Lease, Store
from reconciler.workflows.portable import Portable

TERM = 120


@dataclass(frozen=True, slots=True)
class Moved:
    """What `state mv` did, or would do."""

    origin: Address
    destination: Address
    documents: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One address `state rm` forgot, or would; the ERP ids of the documents that stay in the books."""

    address: Address
    remote_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What `state import` put back, or would. `copy`: where the state it replaced is kept, if there was one."""

    bindings: int
    documents: int
    entries: int
    epoch: int
    digest: str
    copy: str = ""


@contextmanager
def locked(store: Store, command: str) -> Iterator[Lease]:
    """The state's lock, given back at the end. Raises StateLocked."""
    lease = take_lock(store, holder(), command, TERM)
    try:
        yield lease
    finally:
        lease.release()


def move(store: Store, clock: Clock, origin: Address, destination: Address, *, dry_run: bool = False) -> Moved:
    """Let `destination` be the name of what `origin` names now. Raises StateError or InvalidInput."""
    if (origin.connection, origin.kind) != (destination.connection, destination.kind):
        raise InvalidInput(
            f"{origin} cannot become {destination}", why="An address keeps its connection and its kind."
        )
    with locked(store, "state mv") as lease:
        view = store.view()
        _bound(view, origin)
        if destination in view.bindings:
            raise StateError(f"{origin} cannot be moved to {destination}: that address is already bound")
        _refuse_under_way(view, (origin, destination))
        documents = sum(row.address == origin for row in view.documents.values())
        entry = _entry(clock, "state_mv", **{"from": str(origin), "to": str(destination)})
        if not dry_run:
            store.commit([MoveBinding(origin, destination), entry], fence=lease.fence)
    return Moved(origin, destination, documents)


def forget(
    store: Store, clock: Clock, addresses: Sequence[Address], *, dry_run: bool = False
) -> tuple[Forgotten, ...]:
    """Forget the addresses, all or none; what they named stays in the books. Raises StateError."""
    wanted = tuple(dict.fromkeys(addresses))
    with locked(store, "state rm") as lease:
        view = store.view()
        for address in wanted:
            _bound(view, address)
        _refuse_under_way(view, wanted)
        found = [
            Forgotten(address, tuple(row.remote_id for row in view.documents.values() if row.address == address))
            for address in wanted
        ]
        facts = [{"address": str(item.address), "remote_ids": list(item.remote_ids)} for item in found]
        writes: list[Write] = [DropBinding(address) for address in wanted]
        if not dry_run:
            store.commit([*writes, _entry(clock, "state_rm", items=facts)], fence=lease.fence)
    return tuple(found)


def restore(
    store: Store, clock: Clock, portable: Portable, project_id: str, *, replace: bool = False, dry_run: bool = False
) -> Restored:
    """Put an exported state in place of this one, and begin an epoch: what happened since it was exported is not
    in it. Raises StateError."""
    contents = portable.contents
    if contents.meta("project") != project_id:
        raise StateError(
            "the exported state belongs to another project",
            why=f"Its project id is {contents.meta('project')}; this project's is {project_id}.",
        )
    with locked(store, "state import") as lease:
        present = store.contents()
        if not present.is_new and not replace:
            raise StateError(
                f"the state {store.place} is not empty",
                why=f"Its history has {present.meta('serial')} entries.",
                hint="Give --replace to put the file in its place; a copy of what is there is kept.",
            )
        if unsettled := store.view().unsettled:
            raise StateError(
                f"the state has {len(unsettled)} requests whose outcome is unknown",
                why="Putting another state in its place would forget them.",
                hint="Settle them first: reconciler recover",
            )
        epoch = max(contents.meta("epoch"), present.meta("epoch")) + 1
        copy = ""
        if not dry_run:
            copy = "" if present.is_new else store.keep_copy("replaced.backup")
            facts = {"digest": portable.digest, "epoch": epoch, "replaced": present.meta("head")}
            entry = _entry(clock, "epoch", reason="restored", **facts)
            store.replace(contents, [NewEpoch("restored", at_least=epoch), entry], fence=lease.fence)
    counts = contents.counts()
    return Restored(counts["bindings"], counts["documents"], counts["history"], epoch, portable.digest, copy)


def _bound(view: StateView, address: Address) -> None:
    if address not in view.bindings:
        hint = nearest(str(address), (str(known) for known in view.bindings))
        raise StateError(f"{address} is not in the state", hint=hint)


def _refuse_under_way(view: StateView, addresses: Sequence[Address]) -> None:
    """Raises StateError when a request whose outcome is unknown, or an open correction, has to do with them."""
    documents = {key for key, row in view.documents.items() if row.address in addresses}
    for row in view.unsettled:
        if row.address in addresses or any(key in row.step for key in documents):
            raise StateError(
                f"{row.address} has a request whose outcome is unknown ({row.operation_key}, request {row.key})",
                hint="Settle it first: reconciler recover",
            )
    for group in view.groups:
        if group.address in addresses:
            raise StateError(
                f"{group.address} has a correction under way ({group.id})",
                hint=f"Finish it with `reconciler apply`, or end it: reconciler recover --abandon {group.id}",
            )


def _entry(clock: Clock, event: str, **facts: object) -> AppendHistory:
    return AppendHistory(
        {"event": event, "at": instant_text(clock.now()), "by": holder().partition(" (")[0], **facts}
    )
