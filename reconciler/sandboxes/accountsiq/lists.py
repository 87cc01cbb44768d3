"""Reference lists: accounts, tax codes, credit terms, banks, currencies, periods, the company."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.view import ACCOUNT_IDS, View, midnight

_CATEGORIES = {
    "accounts_receivable": ("Debtors", "B"),
    "bank": ("Bank", "B"),
    "current_asset": ("Current Assets", "B"),
    "fixed_asset": ("Fixed Assets", "B"),
    "liability": ("Liabilities", "B"),
    "equity": ("Capital", "B"),
    "income": ("Sales", "P"),
    "expense": ("Overheads", "P"),
    "other": ("Other", "P"),
}
"""Category and kind (balance sheet, profit and loss) of the ledger's types of accounts."""


class Lists:
    """The operations on reference lists. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view

    def gl_accounts(self, asked: Values) -> Done:
        return Done([[one["code"], one["name"]] for one in self.view.accounts.values()])

    def chart(self, asked: Values) -> Done:
        made = []
        for one in self.view.entries("account"):
            content = one.content
            category, kind = _CATEGORIES[content["type"]]
            made.append(
                {
                    "Code": content["code"],
                    "Description": content["name"],
                    "AccountType": {"accounts_receivable": "Control", "bank": "Bank"}.get(
                        content["type"], "Posting"
                    ),
                    "GLCategoryID": category.upper(),
                    "GLCategory": content.get("category") or category,
                    "IsDepartmental": self.view.departmental(content["code"]),
                    "BalanceSheetType": kind,
                    "GLCategoryTypeID": kind,
                    "GLCategoryTypeDescription": "Balance Sheet" if kind == "B" else "Profit and Loss",
                    "IsActive": one.record.phase != "archived",
                    "CurrencyCode": content.get("currency") or self.view.base,
                }
            )
        return Done(made)

    def taxes(self, asked: Values) -> Done:
        """`Rate` in percent or as a fraction: nobody knows."""
        unit = Decimal(1) if self.view.switches.text("tax_rate_unit") == "percent" else Decimal("0.01")
        made = []
        for place, one in enumerate(self.view.entries("tax_rate")):
            content = one.content
            account = self.view.accounts.get(content.get("account", ""), self.view.role("tax").content)
            made.append(
                {
                    "ID": content["code"],
                    "Code": content["code"],
                    "Description": content.get("name") or content["code"],
                    "RowVersionNumber": str(one.record.revision),
                    "Rate": content["rate"] * unit,
                    "ReverseCharge": content.get("treatment") == "reverse_charge",
                    "IsTaxExclude": content.get("treatment") == "out_of_scope",
                    "IsDefault": place == 0,
                    "IsStandardRate": place == 0,
                    "SalesTaxInclude": True,
                    "CreditGlAccno": account["code"],
                    "Checker": {"IdLength": 50, "CodeLength": 50, "DescriptionLength": 50, "AuthorLength": 50},
                }
            )
        return Done(made)

    def terms(self, asked: Values) -> Done:
        checker = {
            "IdLength": 50,
            "CodeLength": 50,
            "DescriptionLength": 50,
            "AuthorLength": 50,
            "CreditDayLength": 4,
        }
        return Done(
            [
                {
                    "ID": str(one.seq),
                    "Code": one.content["name"],
                    "Description": one.content["name"],
                    "RowVersionNumber": str(one.record.revision),
                    "CreditDays": one.content["days"],
                    "EndOfMonth": bool(one.content.get("end_of_month")),
                    "Checker": checker,
                }
                for one in self.view.entries("payment_term")
            ]
        )

    def banks(self, asked: Values) -> Done:
        return Done(
            [
                {
                    "BankID": one.seq,
                    "Code": self.view.accounts[one.content["account"]]["code"],
                    "BankAccountCode": f"{70_000_000 + one.seq}",
                    "Name": one.content["name"],
                    "CurrencyCode": one.content.get("currency") or self.view.base,
                    "RowVersionNumber": str(one.record.revision),
                }
                for one in self.view.entries("bank_account")
            ]
        )

    def currencies(self, asked: Values) -> Done:
        return Done(
            [
                {
                    "CurrencyID": place,
                    "CurrencyCode": code,
                    "IsBaseCurrency": code == self.view.base,
                    "ExchangeRate": self.view.shown_rate(rate),
                    "LastModifiedDate": datetime(self.view.now.year, 1, 1),
                    "Description": code,
                }
                for place, (code, rate) in enumerate(self.view.rates().items(), 1)
            ]
        )

    def exchange_rate(self, asked: Values) -> Done:
        code = asked["currencyCode"]
        if code is None:
            raise Failed("CURRENCY_CODE_IS_NULL")
        rate = self.view.rates().get(code)
        if rate is None:
            raise Failed("CURRENCY_CODE_DOES_NOT_EXIST", f"Currency '{code[:20]}' does not exist.")
        return Done(self.view.shown_rate(rate))

    def periods(self, asked: Values) -> Done:
        """Months of calendar years; closed once their last day is."""
        sales, general = self.view.closed()
        made = []
        for year in self.view.years:
            for month in range(1, 13):
                start = datetime(year, month, 1)
                end = (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
                values: dict[str, Any] = {
                    "PeriodID": year * 100 + month,
                    "PeriodNumber": month,
                    "PeriodName": f"{start:%b %Y}",
                    "FinancialYear": year,
                    "StartDate": start,
                    "EndDate": end,
                    "SalesLedgerClosed": sales is not None and end.date() <= sales,
                    "PurchasesLedgerClosed": general is not None and end.date() <= general,
                    "GeneralLedgerClosed": general is not None and end.date() <= general,
                    "FinancialYearClosed": general is not None and midnight(general) >= datetime(year, 12, 31),
                }
                made.append({**{f"_{name}": value for name, value in values.items()}, **values})
        return Done(made)

    def company(self, asked: Values) -> Done:
        settings = self.view.books.ledger.settings
        return Done(
            {
                "CompanyName": settings.company,
                "LocaleName": "en-IE",
                "BaseCurrencyCode": settings.base_currency,
                "Address": {"Line1": "1 Sandbox Street", "City": "Dublin", "CountryState": "Ireland"},
                "ContactInformation": {},
                "AutoNumberingSettings": {
                    "UseAutoSalesInvoiceNumbering": True,
                    "UseAutoSalesCreditNoteNumbering": True,
                },
                "PrecisionSettings": {"PricePrecisionDecimals": 4, "QuantityPrecisionDecimals": 4},
                "ApprovalSettings": {},
            }
        )

    def user(self, asked: Values) -> Done:
        return Done({"Email": "integration@sandbox.example", "FullName": "Integration"})

    def intercompany(self, asked: Values) -> Done:
        """Customers that stand for another entity: as the switch pairs them, `CODE=ENTITY`."""
        settings = self.view.books.ledger.settings
        made = []
        for pair in self.view.switches.text("intercompany").split():
            code, _, entity = pair.partition("=")
            customer = self.view.customer(code)
            if customer is None:
                continue
            local = {
                "EntityID": self.view.switches.text("company"),
                "EntityName": settings.company,
                "EntityBaseCurrencyCode": settings.base_currency,
                "AccountID": customer.seq + ACCOUNT_IDS,
                "AccountCode": code,
                "AccountName": customer.content["name"],
                "AccountCurrencyCode": self.view.currency_of(customer),
            }
            remote = {"EntityID": entity, "EntityName": entity, "EntityBaseCurrencyCode": settings.base_currency}
            made.append({"Local": local, "Remote": remote})
        return Done(made)
