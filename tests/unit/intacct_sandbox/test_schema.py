"""The sandbox's rules accept and refuse what the vendor's schema does: its samples, and thousands of mutations."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import pytest

from reconciler.sandboxes.intacct.grammar import Grammar
from reconciler.sandboxes.intacct.rules import GRAMMAR
from tests.unit.intacct_sandbox.caller import Caller, adjustment, advance, day, invoice, payment, pays

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "intacct"
NEWER = ("taxsolutionid", "taskid", "costtypeid", "taxentries", "showadditionalerrorinfo")
"""What the rules have and the published schema has not yet."""


@pytest.fixture(scope="module")
def schema() -> Any:
    path = SPECS / "schema" / "v3.0" / "api.xsd"
    if not path.is_file():
        pytest.skip("the vendor's schema is not here: ../shared/specs is missing")
    etree = pytest.importorskip("lxml.etree")
    return etree.XMLSchema(etree.parse(str(path)))


def vendor_accepts(schema: Any, item: Element) -> bool:
    from lxml import etree

    return bool(schema.validate(etree.fromstring(tostring(item))))


def ours_accept(item: Element) -> bool:
    return not list(GRAMMAR.check(item))


def samples() -> Iterator[Element]:
    for path in sorted((SPECS / "samples").glob("*.xml")):
        yield from fromstring(path.read_bytes())


def own_requests() -> Iterator[Element]:
    """Requests of this sandbox's tests, whole."""
    caller = Caller(None, None, None)  # type: ignore[arg-type]
    functions = [
        invoice("I-1", header="<ponumber>1</ponumber><description>x</description>"),
        invoice("I-2", money="<currency>EUR</currency><exchratetype/>", line="<memo>m</memo><itemid>W</itemid>"),
        invoice("I-3", money="<basecurr>USD</basecurr><currency>EUR</currency><exchrate>1.2</exchrate>"),
        adjustment("A-1", "-1"),
        advance("5"),
        payment(pays("1", "5")),
        f'<reverse_invoice key="1">{day("datereversed", "2026-11-02")}</reverse_invoice>',
        "<getAPISession><locationid>E</locationid></getAPISession>",
        "<read><keys>1</keys><object>CUSTOMER</object></read>",
        "<readByQuery><object>CUSTOMER</object><query>A = 'b'</query><pagesize>5</pagesize></readByQuery>",
        "<delete><object>CUSTOMER</object><keys>1</keys></delete>",
        "<create_supdocfolder><supdocfoldername>f</supdocfoldername></create_supdocfolder>",
        "<create_supdoc><supdocid>s</supdocid><supdocfoldername>f</supdocfoldername><attachments><attachment>"
        "<attachmentname>a</attachmentname><attachmenttype>pdf</attachmenttype><attachmentdata>AA==</attachmentdata>"
        "</attachment></attachments></create_supdoc>",
        '<get_list object="arterm" start="0" maxitems="5"><filter><logical logical_operator="and"><expression>'
        "<field>name</field><operator>=</operator><value>x</value></expression><expression><field>name</field>"
        "<operator>=</operator><value>x</value></expression></logical></filter></get_list>",
        "<get_closedbooksdate/>",
        "<create_contact><contactname>K</contactname><printas>K</printas><prefix>x</prefix><status>active</status>"
        "<mailaddress><city>x</city></mailaddress></create_contact>",
        "<create_arterm><name>N</name><due><dueday>9</dueday><duefrom>1</duefrom></due></create_arterm>",
        "<create_item><itemid>X</itemid><name>X</name><itemtype>N</itemtype><base_price>5</base_price></create_item>",
        "<create_taxdetail><detailid>T</detailid><taxtype>Sale</taxtype><value>5</value><glaccountno>2200</glaccountno>"
        "</create_taxdetail>",
        "<create_checkingaccount><bankaccountid>B</bankaccountid><locationid>L</locationid><bankname>N</bankname>"
        "<glaccountno>1</glaccountno></create_checkingaccount>",
        f"<get_araging><agingperiods>0-30</agingperiods>{day('asofdate', '2026-12-05')}</get_araging>",
        '<create_department ignoreduplicates="true"><departmentid>D</departmentid><title>T</title>'
        "</create_department>",
        "<create_location><locationid>L</locationid><name>N</name></create_location>",
        f'<reverse_arpayment key="1">{day("datereversed", "2026-11-02")}<description/></reverse_arpayment>',
        '<delete_supdoc key="1"/>',
        '<update_customer customerid="C1"><name>x</name><status>active</status></update_customer>',
    ]
    for function in functions:
        yield fromstring(caller.body(function))
    yield fromstring(caller.body(*functions, session="s", transaction=True))


def mutated(item: Element, chance: random.Random) -> Element:
    """The same with one thing changed: an element dropped, doubled, moved, renamed, or an attribute or text."""
    made = copy.deepcopy(item)
    parents = [found for found in made.iter() if len(found)]
    if not parents:
        made.set("more", "1")
        return made
    parent = chance.choice(parents)
    at = chance.randrange(len(parent))
    child = parent[at]
    match chance.randrange(9):
        case 0:
            parent.remove(child)
        case 1:
            parent.insert(at, copy.deepcopy(child))
        case 2:
            parent.remove(child)
            parent.insert(chance.randrange(len(parent) + 1), child)
        case 3:
            child.tag = chance.choice(
                ["customerid", "amount", "description", "currency", "exchrate", "year", "zzz"]
            )
        case 4:
            parent.insert(
                at, Element(chance.choice(["memo", "externalid", "exchratetype", "key", "action", "lineitem"]))
            )
        case 5:
            child.set(chance.choice(["key", "transaction", "controlid", "set_nulls"]), chance.choice(["true", "x"]))
        case 6:
            SubElement(child, "zzz")
        case 7:
            leaves = [found for found in made.iter() if not len(found)]
            chance.choice(leaves).text = chance.choice(["", "x" * 257, "true", "1", " ", "words"])
        case _:
            parent.text = "words"
    return made


def comparable(item: Element) -> bool:
    return not any(found.tag in NEWER for found in item.iter())


def test_the_vendors_samples(schema: Any) -> None:
    found = list(samples())
    assert len(found) > 20
    assert [tostring(item) for item in found if vendor_accepts(schema, item) != ours_accept(item)] == []


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_mutations_of_them_and_of_our_own_requests(schema: Any, seed: int) -> None:
    chance = random.Random(seed)
    sources = [*samples(), *own_requests()]
    verdicts = {True: 0, False: 0}
    for _ in range(1500 if seed == 1 else 20_000):
        item = mutated(chance.choice(sources), chance)
        if not comparable(item):
            continue
        theirs = vendor_accepts(schema, item)
        verdicts[theirs] += 1
        assert theirs == ours_accept(item), tostring(item).decode()
    assert min(verdicts.values()) > 100


def test_what_is_newer_than_the_published_schema() -> None:
    caller = Caller(None, None, None)  # type: ignore[arg-type]
    new = [
        "<query><object>ARINVOICE</object><select><field>A</field></select></query>",
        "<lookup><object>ARINVOICE</object></lookup>",
        "<retrievepdf><ARINVOICE><RECORDNO>1</RECORDNO></ARINVOICE></retrievepdf>",
        invoice("1", line="<taxentries><taxentry><detailid>S</detailid></taxentry></taxentries>"),
    ]
    assert ours_accept(
        fromstring(caller.body(*new, control="<showadditionalerrorinfo>true</showadditionalerrorinfo>"))
    )


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ("<filter><equalto><field>A</field><value>1</value></equalto></filter>", True),
        ("<filter/>", True),
        ("<filter><equalto><value>1</value><field>A</field></equalto></filter>", False),
        ("<filter><isnull><field>A</field></isnull><isnull><field>A</field></isnull></filter>", False),
        ("<filter><and><isnull><field>A</field></isnull></and></filter>", False),
        (
            "<filter><or><isnull><field>A</field></isnull><isnotnull><field>A</field></isnotnull></or></filter>",
            True,
        ),
        ("<filter><between><field>A</field><value>1</value></between></filter>", False),
        ("<filter><in><field>A</field><value>1</value><value>2</value></in></filter>", True),
        ("<orderby><order><field>A</field><ascending/></order></orderby><offset>5</offset>", True),
        ("<orderby><order><field>A</field></order></orderby>", False),
        ("<nonsense/>", False),
    ],
)
def test_queries(body: str, good: bool) -> None:
    item = f"<query><object>X</object><select><field>A</field></select>{body}</query>"
    assert ours_accept(fromstring(item)) is good


def test_the_notation() -> None:
    grammar = Grammar(
        "a = b? (c | d)+ e:few @k! @how=x|y\nfew = {x y?}\n// a remark\nb = ~few2\nfew2 = x\nx = #empty"
    )
    assert list(grammar.check(fromstring('<a k="1"><b><x/></b><c/><d/><e><y>1</y><x/></e></a>'))) == []
    wrong = [
        ("<a><c/><e><x/></e></a>", "required but missing"),
        ('<a k="1" how="z"><c/><e><x/></e></a>', "not an element of the set"),
        ('<a k="1"><e/></a>', "Expected is ( b, c, d )"),
        ('<a k="1"><c/></a>', "Missing child element(s). Expected is ( c, d, e )"),
        ('<a k="1"><c/><e><y/></e></a>', "Missing child element(s). Expected is ( x )"),
        ('<a k="1"><c/><e><x/><x/></e></a>', "not expected"),
        ('<a k="1"><c/><e><x>1</x></e></a>', "content type is empty"),
        ('<a k="1">words<c/><e><x/></e></a>', "other than whitespace"),
    ]
    for text, part in wrong:
        assert part in " ".join(found.text for found in grammar.check(fromstring(text))), text
