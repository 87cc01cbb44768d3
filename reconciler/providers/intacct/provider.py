"""The provider over one company of Intacct: observe, look up, normalise, write in batches. Thread-safe."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pydantic import BaseModel

from reconciler.kernel.clock import Clock
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected
from reconciler.providers.intacct.answers import Result
from reconciler.providers.intacct.attaching import Files
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.capabilities import intacct_capabilities
from reconciler.providers.intacct.codec_invoices import Books
from reconciler.providers.intacct.directory import Directory
from reconciler.providers.intacct.documents import Documents
from reconciler.providers.intacct.envelope import Login, Sender
from reconciler.providers.intacct.executing import Executor
from reconciler.providers.intacct.looking_up import LookUps
from reconciler.providers.intacct.normalising import Normaliser
from reconciler.providers.intacct.observing import Observer
from reconciler.providers.intacct.paying import Money
from reconciler.providers.intacct.queries import Query as Select
from reconciler.providers.intacct.queries import selecting
from reconciler.providers.intacct.settings import PATH, IntacctSettings
from reconciler.providers.intacct.wire import amount, amount_of, element, leaf, text, yes
from reconciler.providers.protocol import (
    Accepted,
    Company,
    CreditStanding,
    DocumentFile,
    Done,
    ExecuteRequest,
    Lookup,
    Normalized,
    Observed,
    Outcome,
    Probe,
    Progress,
    Provider,
    Query,
    RequestKey,
)
from reconciler.providers.sandboxed import SANDBOX, Sandboxed, greeted, presented, sandbox_where_asked
from reconciler.resources.kinds import Content

_INFORMATION = element("get_list", object="company_info")
_CLOSED = element("get_closedbooksdate")
_OF_SENDER = ("sender_id", "sender_password")
_OF_USER = ("user", "company", "password")
_STANDING = ("RECORDNO", "CUSTOMERID", "CURRENCY", "TOTALDUE", "CREDITLIMIT", "ONHOLD")


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is put together once the company is known."""

    company: Company
    directory: Directory
    observer: Observer
    look_ups: LookUps
    executor: Executor


class IntacctProvider(Provider):
    """One company's books in Intacct. It opens a session when it is first asked for something."""

    def __init__(
        self,
        settings: IntacctSettings,
        gateway: Gateway,
        root: Path,
        clock: Clock,
        sandbox: Sandboxed | None = None,
    ) -> None:
        self._settings = settings
        self._gateway = gateway
        self._root = root
        self._clock = clock
        self._sandbox = sandbox
        self._books: _Opened | None = None
        self._lock = threading.RLock()

    # ---- reading ----

    def company(self) -> Company:
        """The company as it is now; what documents refer to is read anew after this."""
        with self._lock:
            if self._books is None:
                return self._opened().company
            self._books.directory.forget()
            self._books = replace(self._books, company=replace(self._books.company, closed_through=self._closed()))
            return self._books.company

    def capabilities(self) -> Capabilities:
        return intacct_capabilities(self._settings)

    def observe(self, query: Query) -> Iterator[Observed]:
        return self._opened().observer.observe(query)

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        return self._opened().look_ups.look_up(probes)

    def normalize(self, kind: str, content: Content) -> Normalized:
        return Normaliser(self._settings, lambda: self._opened().company.base_currency)(kind, content)

    def credit_standings(self, customer_ids: Sequence[str]) -> Mapping[str, CreditStanding]:
        """What customers owe, by Intacct's own balance of them."""
        base = self._opened().company.base_currency
        found = self._gateway.queries(*selecting(Select("CUSTOMER", _STANDING), "CUSTOMERID", customer_ids))
        return {
            row["CUSTOMERID"]: CreditStanding(
                currency=text(row.get("CURRENCY"), 3) or base,
                balance=amount(row.get("TOTALDUE")),
                limit=amount_of(row.get("CREDITLIMIT")),
                on_hold=yes(row.get("ONHOLD")),
            )
            for rows in found
            for row in rows
            if row.get("CUSTOMERID")
        }

    def document(self, kind: str, remote_id: str) -> DocumentFile:
        """An invoice as Intacct prints it."""
        if kind != "invoice":
            raise Rejected(f"Intacct prints no {kind}", code="unsupported")
        call = element("retrievepdf", element("ARINVOICE", leaf("RECORDNO", remote_id)))
        result = self._gateway.read(call)[0]
        data = next((row["pdfdata"] for row in result.rows() if row.get("pdfdata")), "")
        if not data:
            raise Rejected(f"Intacct has no PDF of invoice {remote_id}", code="not_found")
        try:
            content = base64.b64decode("".join(data.split()), validate=True)
        except binascii.Error as error:
            raise Rejected(f"what Intacct gives as the PDF of invoice {remote_id} is none", code="pdf") from error
        return DocumentFile(f"invoice-{remote_id}.pdf", "application/pdf", content)

    # ---- writing ----

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        outcome = self._opened().executor.execute([request], progress)[request.key]
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def poll(self, handle: str) -> Done | Accepted:
        raise Indeterminate("Intacct's gateway answers at once: there is nothing to wait for", final=True)

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        return self._opened().executor.execute(requests, progress)

    # ---- the rest ----

    def calls(self) -> int:
        return self._gateway.calls

    def close(self) -> None:
        self._gateway.close()
        if self._sandbox is not None:
            self._sandbox.close()

    def _opened(self) -> _Opened:
        with self._lock:
            if self._books is None:
                self._books = self._open()
            return self._books

    def _open(self) -> _Opened:
        settings = self._settings
        told, closed = self._gateway.tried(_INFORMATION, _CLOSED)
        information = next(iter(told.rows()), {}) if told.done else {}
        base = settings.base_currency or text(information.get("basecurr"), 3) or self._base_currency()
        id_ = self._gateway.company()
        company = Company(
            id=f"{id_}/{settings.location}" if settings.location else id_,
            name=text(information.get("name") or information.get("title")) or id_,
            base_currency=base,
            closed_through=_last_closed(closed),
            rounding=settings.rounding,
        )
        directory = Directory(self._gateway, base)
        files = Files(self._gateway, self._root, settings.attachments_folder)
        documents = Documents(self._gateway, directory, files)
        observer = Observer(self._gateway, directory, documents)
        books = Books(base, directory.id_of, settings.rounding, settings.default_term)
        look_ups = LookUps(observer, self._clock, settings.numbers == "ours")
        money = Money(documents, directory, settings, base, self._clock)
        executor = Executor(self._gateway, observer, documents, money, files, settings, books, self._clock)
        return _Opened(company, directory, observer, look_ups, executor)

    def _base_currency(self) -> str:
        """What a document is kept in, where the company does not tell: its documents name no more than its name."""
        for object_ in ("ARINVOICE", "ARPYMT", "ARADVANCE"):
            query = Select(object_, ("RECORDNO", "BASECURR"))
            result = self._gateway.tried(query.element(1))[0]
            found = next((text(row.get("BASECURR"), 3) for row in result.rows()), None) if result.done else None
            if found:
                return found
        raise Rejected(
            "Intacct does not tell the company's base currency: say it as the connection's `base_currency`",
            code="base_currency",
        )

    def _closed(self) -> date | None:
        return _last_closed(self._gateway.tried(_CLOSED)[0])


def _last_closed(result: Result) -> date | None:
    """The last day of closed books; None where there are none, or the user may not ask."""
    if not result.done or result.data is None:
        return None
    parts = {one.tag: (one.text or "").strip() for one in result.data.iter() if not len(one)}
    try:
        return date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
    except (KeyError, ValueError):
        return None


class IntacctProviderFactory:
    """The entry point `intacct`."""

    settings: type[BaseModel] = IntacctSettings

    def describe(self) -> Capabilities:
        return intacct_capabilities(IntacctSettings(endpoint=SANDBOX))

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> IntacctProvider:
        """Connect; with `endpoint: sandbox`, start that first. Raises ReconcilerError with what to do."""
        assert isinstance(settings, IntacctSettings)
        with sandbox_where_asked("intacct", settings.endpoint, root, clock) as sandbox:
            return self._connected(settings, root, clock, sandbox)

    def _connected(
        self, settings: IntacctSettings, root: Path, clock: Clock, sandbox: Sandboxed | None
    ) -> IntacctProvider:
        given = {name: presented(settings, name, sandbox) for name in (*_OF_SENDER, *_OF_USER)}
        endpoint = sandbox.url + PATH if sandbox is not None else settings.endpoint
        sender = Sender(*(given[name] for name in _OF_SENDER))
        login = Login(given["user"], given["company"], given["password"], settings.location)
        gateway = Gateway.at(endpoint, settings, sender, login, clock, root)
        hint = (
            "Check the connection's `endpoint`, `sender_id`, `sender_password`, `company`, `user`, `password`, "
            "and that the company authorised the sender."
        )
        return greeted(
            IntacctProvider(settings, gateway, root, clock, sandbox),
            hint,
        )
