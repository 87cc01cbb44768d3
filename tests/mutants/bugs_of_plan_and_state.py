"""Bugs planted in money, plans, plan files and the state."""

from __future__ import annotations

from tests.mutants.planting import Bug

MAKING = "tests/unit/plan/test_making.py"
CONFORMANCE = "tests/conformance/test_sqlite_state.py"
MONEY = "tests/unit/kernel/test_money.py"

BUGS = (
    Bug(
        "float-money",
        "0.1 + 0.2",
        "reconciler/kernel/money.py",
        "    return Decimal(text)\n",
        "    return Decimal(str(float(text)))\n",
        (MONEY,),
        fast=True,
    ),
    Bug(
        "half-a-cent-is-cut-off",
        "the ERP rounds up, and every second tax differs by a cent",
        "reconciler/kernel/money.py",
        "_MODES = {Rounding.HALF_UP: ROUND_HALF_UP,",
        '_MODES = {Rounding.HALF_UP: "ROUND_DOWN",',
        (MONEY,),
        "rounding",
        fast=True,
    ),
    Bug(
        "included-tax-is-added-on-top",
        "inclusive prices are billed with tax twice",
        "reconciler/resources/totals.py",
        "    divisor = _EXACT.add(_HUNDRED, _sum(rate for _, rate in rates))\n",
        "    divisor = _HUNDRED\n",
        ("tests/unit/resources/test_totals.py",),
    ),
    Bug(
        "adopted-without-comparing",
        "a document of another amount is bound as ours",
        "reconciler/plan/matching.py",
        "    if fields:\n        whose",
        "    if False:\n        whose",
        (MAKING,),
        "adopted_only or other_content",
        fast=True,
    ),
    Bug(
        "adopted-without-being-asked",
        "what nobody declared is managed all the same",
        "reconciler/plan/matching.py",
        "    if consent is None:\n        return Obstacle(\n            Reason.EXISTS_UNMANAGED,\n",
        "    if consent is None:\n"
        "        found = Member(row, index.chain_id(address), '', Role.ORIGINAL, 1)\n"
        "        return _compared(draft, desired, Adopted((found,), by_consent=True))\n"
        "    if False:\n        return Obstacle(\n            Reason.EXISTS_UNMANAGED,\n",
        (MAKING,),
        "adopted_only",
    ),
    Bug(
        "a-document-does-not-wait-for-its-customer",
        "an invoice goes out with a hole where the customer's id belongs",
        "reconciler/plan/lowering.py",
        "        *after,\n        *(draft.creators[name] for name in reference_identities(kind, content)"
        " if name in draft.creators),\n",
        "        *after,\n",
        (MAKING,),
        "first_plan_creates",
    ),
    Bug(
        "an-allocation-does-not-wait-for-its-invoice",
        "a payment is allocated to an invoice that is not there yet",
        "reconciler/plan/allocating.py",
        "        depends_on=tuple(sorted({*depends, *(hole.step for hole in holes)})),\n",
        "        depends_on=tuple(sorted(depends)),\n",
        (MAKING,),
        "waits_for_it",
    ),
    Bug(
        "an-allocation-is-taken-off-without-consent",
        "a line deleted from a manifest moves cash",
        "reconciler/plan/settling.py",
        "if not draft.allows(Remedy.UNALLOCATE, chain.address):",
        "if False:",
        (MAKING,),
        "taking_one_off",
    ),
    Bug(
        "somebody-elses-allocation-is-undone",
        "what a clerk settled is taken off",
        "reconciler/plan/settling.py",
        "        mine = min(ours.get(identity, ZERO), live)",
        "        mine = live",
        (MAKING,),
        "somebody_else",
    ),
    Bug(
        "a-remedy-without-consent",
        "a posted invoice is credited because its price was edited",
        "reconciler/plan/remedies.py",
        "for remedy in change.fits if draft.allows(remedy, change.chain.address)), None)",
        "for remedy in change.fits), None)",
        (MAKING,),
        "every_fitting_remedy",
    ),
    Bug(
        "two-records-under-one-tag-and-the-first-is-taken",
        "a double bill is hidden instead of reported",
        "reconciler/plan/matching.py",
        "in index.owners]\n        if len(rows) > 1:\n",
        "in index.owners]\n        if False:\n",
        (MAKING,),
        "two_live_documents",
    ),
    Bug(
        "a-plans-digest-is-not-checked",
        "a plan edited after its review is applied",
        "reconciler/plan_file.py",
        '    if digest_text(text.replace(_seal(digest), _seal(""), 1)) != digest:',
        "    if False:",
        ("tests/unit/plan_file/test_plan_file.py", "tests/unit/plan_file/test_bad_plans.py"),
        fast=True,
    ),
    Bug(
        "the-fence-is-not-checked",
        "a run that was taken over goes on recording",
        "reconciler/state/store.py",
        "    def commit(self, writes: Sequence[Write], *, fence: int) -> None:\n"
        "        with self._transaction(write=True):\n            locking.check_fence(self._backend, fence)\n",
        "    def commit(self, writes: Sequence[Write], *, fence: int) -> None:\n"
        "        with self._transaction(write=True):\n",
        (CONFORMANCE,),
        "fence or taken_over",
        fast=True,
    ),
    Bug(
        "a-commit-is-not-atomic",
        "a crash leaves an outcome without its document",
        "reconciler/state/store.py",
        "            locking.check_fence(self._backend, fence)\n            head = self._write(writes)\n",
        "            locking.check_fence(self._backend, fence)\n        head = None\n"
        "        for write in writes:\n            with self._transaction(write=True):\n"
        "                head = self._write([write]) or head\n",
        (CONFORMANCE,),
        "undone_when_a_later or leaves_nothing",
        fast=True,
    ),
    Bug(
        "the-history-is-not-chained",
        "an entry can be taken out, and nobody sees it",
        "reconciler/state/history.py",
        "    return HistoryRow(serial, text, digest_text(previous + text))",
        "    return HistoryRow(serial, text, digest_text(text))",
        (CONFORMANCE,),
        "chained",
    ),
    Bug(
        "a-changed-history-verifies",
        "the audit trail can be edited",
        "reconciler/state/history.py",
        "        if row.hash != digest_text(previous + row.entry):",
        "        if False:",
        ("tests/unit/state/test_bad_state_cases.py",),
        "history",
    ),
    Bug(
        "a-lost-state-is-not-noticed",
        "a restored state plans from what is no longer so",
        "reconciler/state/judging.py",
        "    notices = _doubts(store, meta, seen, place, clock) if seen is not None else []\n",
        "    notices: list[str] = []\n",
        ("tests/unit/state/test_state_opening.py",),
    ),
    Bug(
        "a-held-lock-is-taken",
        "two runs at once",
        "reconciler/state/locking.py",
        "        if held is not None and held.expires_at > instant_text(now):\n",
        "        if False:\n",
        (CONFORMANCE,),
        "held_lock or of_many_threads or not_taken_over",
    ),
    Bug(
        "credits-make-room-under-the-threshold",
        "a slipped decimal point passes beside a large credit",
        "reconciler/policy/receivables.py",
        "            if amount > 0:\n",
        "            if True:\n",
        ("tests/unit/policy/test_receivables.py",),
    ),
)
