"""The functions by name, and one operation carried out: control ids remembered, all or nothing where asked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.sandboxes.intacct import (
    aging,
    attachments,
    contacts,
    customers,
    invoices,
    masters,
    payments,
    undoing,
)
from reconciler.sandboxes.intacct.company import CONTACTS, Company
from reconciler.sandboxes.intacct.envelope import Control, Function, Operation
from reconciler.sandboxes.intacct.legacy import Legacy
from reconciler.sandboxes.intacct.printing import invoice_pdf
from reconciler.sandboxes.intacct.querying import query_failed
from reconciler.sandboxes.intacct.reading import Kept, Reading
from reconciler.sandboxes.intacct.responses import result_of
from reconciler.sandboxes.intacct.sessions import Caller, Sessions
from reconciler.sandboxes.intacct.words import ROLLED_BACK, Error, Fault, Result, fault
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.paging import drifted
from reconciler.sandboxes.serving.vendor import Tools
from reconciler.sandboxes.serving.xml import element

CONTROL_IDS = "ia-controlid"
_ROLLED_BACK = Error(ROLLED_BACK, "The entire transaction in this operation has been rolled back due to an error.")


class Stopped(Exception):
    """The gateway's process ends in the middle of a request; what is done is done."""


class _RolledBack(Exception):
    """A function of a transaction failed."""


class Work:
    """One operation of one request. Call it alone with the books."""

    def __init__(
        self, tools: Tools, call: Call, control: Control, caller: Caller, sessions: Sessions, kept: Kept
    ) -> None:
        self._tools = tools
        self._switches = tools.switches
        self._shelf = tools.books.shelf
        self._call = call
        self._control = control
        self._caller = caller
        self._sessions = sessions
        self._company = Company(tools.books, tools.switches)
        self._reading = Reading(self._company, caller.location, self._arrange, kept)
        self._legacy = Legacy(self._reading.table, lambda: self._reading.books)
        self._functions = self._table()
        self._left = self._switches.number("stop_midway_after") if self._fires("stop_midway", "") else None

    def _fires(self, name: str, label: str) -> bool:
        return self._switches.fires(name, replace(self._call, label=label or self._call.label))

    def _arrange(self, rows: list[Any], offset: int) -> list[Any]:
        return drifted(rows, self._switches, self._call) if offset else rows

    # ---- one operation ----

    def carry_out(self, operation: Operation) -> list[Element]:
        """A result for each function. Raises Stopped."""
        if not operation.transaction:
            results = [self._shown(function, self._one(function)) for function in operation.functions]
            self._stop_at_last()
            return results
        done: list[tuple[Function, Result]] = []
        try:
            with self._tools.books.rewinding():
                for function in operation.functions:
                    done.append((function, self._one(function)))
                    if done[-1][1].errors:
                        raise _RolledBack
                self._stop_at_last()
        except _RolledBack:
            return self._rolled_back(operation, done)
        return [self._shown(function, result) for function, result in done]

    def _stop_at_last(self) -> None:
        """A gateway that is to end in the middle ends before it answers, however few functions there were."""
        if self._left is not None:
            raise Stopped

    def _rolled_back(self, operation: Operation, done: list[tuple[Function, Result]]) -> list[Element]:
        """The culprit failed, the others were aborted; nothing of them happened."""
        culprit, failed = done[-1]
        elements = []
        for function in operation.functions:
            if function is culprit:
                result, status = Result(errors=(*failed.errors, _ROLLED_BACK)), "failure"
            else:
                result, status = Result(errors=(_ROLLED_BACK,)), "aborted"
            elements.append(result_of(function, result, self._control.additional, status))
        return elements

    def _shown(self, function: Function, result: Result) -> Element:
        return result_of(function, result, self._control.additional)

    def _one(self, function: Function) -> Result:
        if self._left is not None:
            if self._left == 0:
                raise Stopped
            self._left -= 1
        if self._control.unique and (seen := self._seen(function)):
            return seen
        if self._fires("function_fails", f"{function.name} {function.controlid}"):
            return Result(errors=(Error("XL03000009", "The Service is Temporarily Off-line"),))
        if self._fires("smart_rule", f"{function.name} {function.controlid}"):
            error = Error("BL01001973", "The transaction does not meet the rule of the company.", "Smart rule")
            return Result(errors=(error, Error("BL01001973", "Could not create the record!")))
        try:
            result = self._functions[function.name](function.call)
        except Fault as found:
            return Result(errors=found.errors)
        except Refusal as refusal:
            return Result(errors=(Error("BL01001973", refusal.message),))
        if self._control.unique and not result.errors:
            self._remember(function, result)
        return result

    # ---- control ids ----

    def _seen(self, function: Function) -> Result | None:
        """What is answered to a control id that was carried out before."""
        found = self._shelf.get(CONTROL_IDS, self._mark(function))
        hours = self._switches.number("control_id_hours")
        now = self._tools.clock.now()
        if found is None or (hours and parse_instant(found["at"]) <= now - timedelta(hours=hours)):
            return None
        if self._switches.text("repeated_control_id") == "first_result":
            data = found["data"]
            return Result(key=found["key"], data=_element(data) if data else None)
        text = (
            f"The function with controlid '{function.controlid}' was already executed: uniqueid is set to true,"
            " so it cannot be repeated."
        )
        return Result(errors=(Error(self._switches.text("duplicate_errno"), text),))

    def _mark(self, function: Function) -> str:
        return f"{self._control.sender}\n{self._caller.company}\n{function.controlid}"

    def _remember(self, function: Function, result: Result) -> None:
        short = function.name in ("create", "update") and result.data is not None
        self._shelf.put(
            CONTROL_IDS,
            self._mark(function),
            {
                "at": instant_text(self._tools.clock.now()),
                "key": result.key,
                "data": _plain(result.data) if short and result.data is not None else None,
            },
        )

    # ---- the functions ----

    def _table(self) -> Mapping[str, Callable[[Element], Result]]:
        company, location, reading = self._company, self._caller.location, self._reading

        def keyed(carry_out: Callable[..., Any], *more: Any) -> Callable[[Element], Result]:
            """A legacy function that answers a record number."""

            def function(call: Element) -> Result:
                made = carry_out(company, call, *more)
                return Result(key=made if isinstance(made, str) else made.recordno)

            return function

        return {
            "getAPISession": self._session,
            "create": lambda call: self._each(call, masters.CREATE),
            "update": lambda call: self._each(call, masters.UPDATE),
            "delete": self._delete,
            "read": reading.read,
            "readByName": reading.read_by_name,
            "readByQuery": reading.read_by_query,
            "readMore": reading.read_more,
            "query": reading.query,
            "lookup": reading.lookup,
            "inspect": reading.inspect,
            "get": self._get,
            "get_list": self._get_list,
            "retrievepdf": self._pdf,
            "getDimensions": self._dimensions,
            "get_closedbooksdate": self._closed,
            "get_araging": lambda call: aging.aged(company, call),
            "create_invoice": keyed(invoices.create, "ARINVOICE", location),
            "update_invoice": keyed(invoices.update, "ARINVOICE", location),
            "delete_invoice": lambda call: self._deleted(call, "ARINVOICE"),
            "reverse_invoice": self._reverse_invoice,
            "create_aradjustment": keyed(invoices.create, "ARADJUSTMENT", location),
            "update_aradjustment": keyed(invoices.update, "ARADJUSTMENT", location),
            "delete_aradjustment": lambda call: self._deleted(call, "ARADJUSTMENT"),
            "create_arpayment": keyed(payments.create_legacy, location),
            "apply_arpayment": keyed(payments.apply),
            "reverse_arpayment": self._reverse_payment,
            "delete_arpayment": self._delete_payment,
            "create_supdocfolder": keyed(attachments.create_folder),
            "create_supdoc": keyed(attachments.create),
            "update_supdoc": keyed(attachments.update),
            "delete_supdoc": lambda call: self._delete_supdoc(call, attachments.SUPDOCS),
            "delete_supdocfolder": lambda call: self._delete_supdoc(call, attachments.FOLDERS),
            **{name: self._legacy_list(*wanted) for name, wanted in _LEGACY_LISTS.items()},
            "update_contact": self._update_contact,
            "delete_contact": self._delete_contact,
            "update_customer": self._update_customer,
            "delete_customer": self._delete_customer,
            **dict.fromkeys(_SUMMARIES, _no_summaries),
        }

    def _session(self, call: Element) -> Result:
        location = call.findtext("locationid")
        if location is not None:
            location = location.strip()
            if location and location not in self._company.entities:
                raise fault(f"Invalid location '{location[:40]}': there is no such entity.")
        identity, made = self._sessions.begin(self._caller, location)
        api = element(
            "api",
            element("sessionid", identity),
            element("endpoint", self._sessions.endpoint(self._call)),
            element("locationid", made.location),
        )
        return Result(data=element("data", api))

    def _each(self, call: Element, makers: Mapping[str, masters.Maker]) -> Result:
        """Every object by itself: those that fail hold up no other, and those that did not are answered."""
        made: list[Element] = []
        errors: list[Error] = []
        for item in call:
            try:
                made.append(self._object(item, makers))
            except Fault as found:
                errors += found.errors
        data = element("data", *made, listtype="objects", count=str(len(made))) if made or not errors else None
        return Result(data=data, errors=tuple(errors))

    def _object(self, item: Element, makers: Mapping[str, masters.Maker]) -> Element:
        name = str(item.tag)
        location = self._caller.location
        creating = makers is masters.CREATE
        if name == "ARADVANCE" and creating:
            held = payments.create_advance(self._company, item, location)
            return element("aradvance", element("RECORDNO", held.recordno))
        if name == "ARPYMT" and creating:
            recordno, _ = payments.create_payment(self._company, item, location)
            return element("arpymt", element("RECORDNO", recordno))
        if name in ("ARPYMT", "ARADVANCE"):
            return undoing.update(self._company, item, name)
        maker = makers.get(name)
        if maker is None:
            raise query_failed(f"Object definition {name[:60]} not found")
        return maker(self._company, item)

    def _delete(self, call: Element) -> Result:
        name = (call.findtext("object") or "").strip()
        keys = [key.strip() for key in (call.findtext("keys") or "").split(",") if key.strip()]
        for key in keys:
            if name in ("ARINVOICE", "ARADJUSTMENT"):
                held = self._company.document(name, key)
                if held is None:
                    raise fault(f"Cannot find {name} with key '{key[:20]}'.")
                invoices.delete(self._company, held)
            elif name in ("ARPYMT", "ARADVANCE"):
                undoing.delete(self._company, name, key)
            elif name == "CUSTOMER":
                customer = self._company.by_recordno("customer", key)
                if customer is None:
                    raise fault(f"Cannot find CUSTOMER with key '{key[:20]}'.")
                customers.delete_customer(self._company, customer)
            else:
                raise fault(f"Object {name[:40]} cannot be deleted.")
        return Result()

    def _deleted(self, call: Element, name: str) -> Result:
        invoices.delete(self._company, invoices.addressed(self._company, call, name))
        return Result()

    def _reverse_invoice(self, call: Element) -> Result:
        invoices.reverse(self._company, call)
        return Result()

    def _reverse_payment(self, call: Element) -> Result:
        undoing.reverse(self._company, call)
        return Result()

    def _delete_payment(self, call: Element) -> Result:
        key = call.get("key", "")
        name = "ARADVANCE" if self._company.document("ARADVANCE", key) else "ARPYMT"
        undoing.delete(self._company, name, key)
        return Result()

    def _delete_supdoc(self, call: Element, bucket: str) -> Result:
        attachments.delete(self._company, call.get("key", ""), bucket)
        return Result()

    # ---- legacy customers, contacts and lists ----

    def _legacy_list(self, name: str, renamed: Mapping[str, str]) -> Callable[[Element], Result]:
        def function(call: Element) -> Result:
            item = masters.raised(call, **renamed)
            if name == "CUSTOMER":
                item = _legacy_customer(item)
            try:
                made = masters.CREATE[name](self._company, item)
            except Fault as found:
                if call.get("ignoreduplicates") == "true" and found.errors[0].number == "BL34000061":
                    return Result()
                raise
            return Result(key=made.findtext("RECORDNO"))

        return function

    def _update_contact(self, call: Element) -> Result:
        item = masters.raised(call)
        item.append(element("CONTACTNAME", call.get("contactname", "")))
        return Result(key=contacts.update_contact(self._company, item).findtext("RECORDNO"))

    def _delete_contact(self, call: Element) -> Result:
        name = call.get("contactname", "")
        if self._company.contact(name) is None:
            raise fault(f"Contact '{name[:60]}' does not exist.")
        self._shelf.drop(CONTACTS, name)
        return Result()

    def _update_customer(self, call: Element) -> Result:
        item = _legacy_customer(masters.raised(call))
        item.append(element("CUSTOMERID", call.get("customerid", "")))
        return Result(key=customers.update_customer(self._company, item).findtext("RECORDNO"))

    def _delete_customer(self, call: Element) -> Result:
        customers.delete_customer(self._company, self._company.customer(call.get("customerid")))
        return Result()

    # ---- other reads ----

    def _get_list(self, call: Element) -> Result:
        name = call.get("object", "")
        if name in ("supdoc", "supdocfolder"):
            listed = attachments.listed if name == "supdoc" else attachments.folders
            rows = [row for row in listed(self._company) if _meets(row, call.find("filter"))]
            heading = element("listtype", name, start="0", end=str(max(len(rows) - 1, 0)), total=str(len(rows)))
            return Result(listtype=heading, data=element("data", *rows))
        return self._legacy.get_list(call)

    def _get(self, call: Element) -> Result:
        name, key = call.get("object", ""), call.get("key", "")
        if name in ("supdoc", "supdocfolder"):
            listed = attachments.listed if name == "supdoc" else attachments.folders
            rows = listed(self._company, key)
            if not rows:
                raise fault(f"Cannot find {name} with key '{key[:60]}'.")
            return Result(listtype=element("listtype", name), data=element("data", *rows))
        return self._legacy.get(call)

    def _pdf(self, call: Element) -> Result:
        key = (call.findtext("ARINVOICE/RECORDNO") or "").strip()
        held = self._company.document("ARINVOICE", key)
        if held is None:
            raise fault(f"Cannot find ARINVOICE with key '{key[:20]}'.")
        pdf = base64.b64encode(invoice_pdf(self._company, held)).decode()
        made = element("arinvoice", element("recordno", key), element("pdfdata", pdf))
        return Result(data=element("data", made, listtype="arinvoice", count="1"))

    def _dimensions(self, call: Element) -> Result:
        made = [
            element(
                "dimension",
                element("objectName", name),
                element("objectLabel", name.title()),
                element("termLabel", name.title()),
                element("userDefinedDimension", "false"),
                element("enabledInGL", "true"),
            )
            for name in ("DEPARTMENT", "LOCATION", "CLASS", "CUSTOMER", "ITEM")
        ]
        return Result(data=element("data", element("dimensions", *made)))

    def _closed(self, call: Element) -> Result:
        closed = self._tools.books.ledger.books().closed_through
        parts = [str(closed.year), f"{closed.month:02d}", f"{closed.day:02d}"] if closed else ["", "", ""]
        names = ("year", "month", "day")
        made = element("closedbooksdate", *(element(n, text) for n, text in zip(names, parts, strict=True)))
        return Result(data=element("data", made))


def _meets(row: Element, filters: Element | None) -> bool:
    """Whether an attachment or folder meets a legacy filter: every field equal to its value."""
    wanted = filters.iter("expression") if filters is not None else ()
    pairs = [((one.findtext("field") or "").strip(), (one.findtext("value") or "").strip()) for one in wanted]
    return all((row.findtext(field) or "") == value for field, value in pairs)


_LEGACY_LISTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "create_customer": ("CUSTOMER", {}),
    "create_contact": ("CONTACT", {}),
    "create_glaccount": ("GLACCOUNT", {"glaccountno": "ACCOUNTNO"}),
    "create_department": ("DEPARTMENT", {}),
    "create_location": ("LOCATION", {}),
    "create_class": ("CLASS", {}),
    "create_arterm": ("ARTERM", {}),
    "create_item": ("ITEM", {}),
    "create_taxdetail": ("TAXDETAIL", {}),
    "create_checkingaccount": ("CHECKINGACCOUNT", {}),
}
_SUMMARIES = ("create_invoicebatch", "create_aradjustmentbatch", "create_arpaymentbatch")


def _no_summaries(call: Element) -> Result:
    raise fault("Summaries are created automatically in this company.", "Create the transactions themselves.")


def _legacy_customer(item: Element) -> Element:
    """create_customer's and update_customer's element as the generic functions have it."""
    made = Element("CUSTOMER")
    for child in item:
        name = str(child.tag)
        if name in ("EXTERNALID", "CONTACTLIST", "VSOEPRICELIST", "VISIBILITY", "ACCOUNTLABEL", "CUSTOMFIELDS"):
            continue
        if name == "GLACCOUNTNO":
            made.append(element("ARACCOUNT", child.text or ""))
        elif name == "PRIMARY" or (name == "CONTACTINFO" and child.find("CONTACT") is not None):
            contact = child.find("CONTACT")
            display = element("DISPLAYCONTACT")
            if contact is not None:
                display.extend(part for part in contact if part.tag not in ("STATUS", "TAXID"))
            made.append(display)
        else:
            made.append(child)
    if made.find("DISPLAYCONTACT") is None and made.findtext("CUSTOMERID"):
        made.append(element("DISPLAYCONTACT", element("PRINTAS", made.findtext("NAME") or "")))
    return made


def _plain(item: Element) -> list[Any]:
    """An element as JSON."""
    return [str(item.tag), dict(item.attrib), item.text or "", [_plain(child) for child in item]]


def _element(plain: list[Any]) -> Element:
    tag, attributes, text, children = plain
    made = Element(tag, attributes)
    made.text = text or None
    made.extend(_element(child) for child in children)
    return made
