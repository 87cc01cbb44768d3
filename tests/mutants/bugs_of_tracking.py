"""Bugs planted in what lines mean by their tracking: sets that are made twice, too early, or not those meant."""

from __future__ import annotations

from tests.mutants.planting import Bug

SETS = "tests/unit/plan/test_tracking_sets.py"
CRASHES = "tests/crash/test_tracking_sets.py"
TABLES = "reconciler/plan/set_tables.py"
MEANT = "reconciler/plan/tracking_sets.py"
IMPLIED = "reconciler/plan/implied_sets.py"

BUGS = (
    Bug(
        "lines-do-not-wait-for-their-set",
        "a line is sent before the set that it names is there",
        MEANT,
        "            found.update(one.after)\n",
        "            pass\n",
        (SETS,),
        "declared_set",
    ),
    Bug(
        "a-live-set-is-made-again",
        "the ERP has two sets of one combination, and lines mean neither",
        "reconciler/plan/matching.py",
        "    more = [row for row in same if row.remote_id not in known]\n",
        "    more: list[Observed] = []\n",
        (SETS,),
        "just_this_tracking",
        fast=True,
    ),
    Bug(
        "the-first-of-two-sets-is-taken",
        "lines go to whichever of two sets comes first",
        MEANT,
        "    if len(active) == 1:\n",
        "    if active:\n",
        (SETS,),
        "names_both",
    ),
    Bug(
        "an-archived-set-is-used",
        "lines are sent to a set that takes none",
        MEANT,
        'if status == "active"]\n',
        "]\n",
        (SETS,),
        "archive",
    ),
    Bug(
        "what-this-plan-archives-counts-as-it-was",
        "lines are sent to a set that the same plan archives before them",
        MEANT,
        '            yield row, str(step.operation.after["status"]), (step.id,)\n',
        "            yield row, row.phase, ()\n",
        (SETS,),
        "archives or active_again",
    ),
    Bug(
        "a-set-of-more-values-will-do",
        "lines are tracked by values that nobody declared",
        TABLES,
        "                live[combined] = (*live.get(combined, ()), row)\n",
        "                for at in range(1, len(combined) + 1):\n"
        "                    live[combined[:at]] = (*live.get(combined[:at], ()), row)\n",
        (SETS,),
        "fewer_or_more",
    ),
    Bug(
        "headers-track-nothing",
        "a header's tracking never reaches its lines",
        "reconciler/resources/tracking.py",
        "    return {**(header or {}), **(line or {})}\n",
        "    return {**(line or {})}\n",
        (SETS,),
        "header",
    ),
    Bug(
        "a-header-wins-over-its-line",
        "a line's own value is overruled",
        "reconciler/resources/tracking.py",
        "    return {**(header or {}), **(line or {})}\n",
        "    return {**(line or {}), **(header or {})}\n",
        (SETS,),
        "header",
    ),
    Bug(
        "a-set-does-not-wait-for-its-value",
        "a set is made of a value that its category does not have yet",
        IMPLIED,
        "    return updates & draft.steps.keys()\n",
        "    return set()\n",
        (SETS,),
        "value",
    ),
    Bug(
        "an-implied-set-is-missed",
        "every plan reports what nobody ever declared",
        "reconciler/plan/making.py",
        '    return "_removed" in declared or is_implied(declared)\n',
        '    return "_removed" in declared\n',
        (SETS,),
        "missed",
    ),
    Bug(
        "a-set-is-implied-by-lines-that-stay-away",
        "a set is made for a document that is blocked",
        "reconciler/plan/creating.py",
        "    if found := tracking_sets.problem(draft, address, content):\n",
        "    tracking_sets.needed(draft, address, address.kind, content)\n"
        "    if found := tracking_sets.problem(draft, address, content):\n",
        (SETS,),
        "not_written",
    ),
    Bug(
        "a-taken-code-is-implied-again",
        "two combinations are planned under one code, and the second fails",
        IMPLIED,
        "    return folded in memo[key] or any(",
        "    return any(",
        (SETS,),
        "cannot_be_implied or name_and_code",
    ),
    Bug(
        "what-a-set-combines-may-change",
        "posted lines say something else from one day to the next",
        "reconciler/plan/bound.py",
        "    if name in _FIXED.get(address.kind, ()):\n        return False\n",
        "",
        (SETS,),
        "never_changes",
    ),
    Bug(
        "a-resumed-correction-forgets-its-set",
        "what a correction issues anew is sent without the set that it names, for ever",
        "reconciler/plan/resuming.py",
        "(*needs, *sorted(_sets_needed(draft, step)))",
        "needs",
        (CRASHES,),
        "finished_once",
    ),
)
