"""Bugs planted where ERPs speak XML: what is read of it, what is shown of it, what an answer is taken for."""

from __future__ import annotations

from tests.mutants.planting import Bug

XML = "reconciler/providers/http/xml.py"
READ = "tests/unit/http/test_xml.py"
ATTACKS = "tests/unit/http/test_xml_attacks.py"
SECRETS = "tests/unit/http/test_secrets.py"
INTACCT = "reconciler/providers/intacct"
ODD = "tests/unit/intacct_provider/test_odd_answers.py"

BUGS = (
    Bug(
        "a-dtd-is-read",
        "what a server declares is believed",
        XML,
        "encoding=encoding, forbid_dtd=True)",
        "encoding=encoding, forbid_dtd=False, forbid_entities=False, forbid_external=False)",
        (ATTACKS,),
        "cost_little",
    ),
    Bug(
        "attributes-are-not-counted",
        "a small answer fills the memory",
        XML,
        "        self._count(1 + len(attributes))\n",
        "        self._count(1)\n",
        (READ,),
        "bounded",
    ),
    Bug(
        "a-tag-without-end",
        "a tag of any length is kept whole",
        XML,
        "        if start + len(piece) - expat.CurrentByteIndex > LONGEST_TAG:",
        "        if start < 0:",
        (ATTACKS,),
        "cost_little",
    ),
    Bug(
        "names-without-end",
        "every name of an answer is kept for good",
        XML,
        "        if len(expat.intern) > MOST_NAMES:",
        "        if start < 0:",
        (ATTACKS,),
        "cost_little",
    ),
    Bug(
        "carriage-returns-are-lost",
        "a text comes back as another, and is planned again for ever",
        XML,
        'body.replace(b"\\r", b"&#13;")',
        "body",
        (READ,),
        "read_as_the_same",
    ),
    Bug(
        "an-answer-is-quoted",
        "an error shows the session",
        XML,
        'f"the answer is no XML: {ErrorString(error.code)} at {where}"',
        'f"the answer is no XML: {answer.text()} at {where}"',
        (READ,),
        "by_its_place",
    ),
    Bug(
        "a-secret-in-xml-is-shown",
        "a password with an ampersand is echoed as it was sent",
        "reconciler/kernel/secrets.py",
        "        *_in_xml(secret),\n",
        "",
        (SECRETS,),
        "every_form",
    ),
    Bug(
        "no-status-is-a-refusal",
        "an invoice that was made is made again",
        f"{INTACCT}/answers.py",
        '    if status not in ("success", "failure"):',
        '    if status == "aborted":',
        (ODD,),
    ),
    Bug(
        "a-function-of-no-status-is-refused",
        "an invoice that was made is made again",
        f"{INTACCT}/answers.py",
        '    if result.status != "failure":',
        '    if result.status == "success":',
        (ODD,),
    ),
)
