"""Which Tryton: the pinned packages of the extra `tryton-server`, and whether they are installed here.

Tryton is GPL-3.0-or-later. It runs as a process of its own and is spoken to over HTTP; nothing here imports it.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SERIES = "8.2"
MODULES = (
    "account_invoice",
    "account_payment",
    "account_payment_clearing",
    "account_product",
    "account_statement",
)
"""The modules to activate; currency, party, company, product and account come as their dependencies."""


class TrytonMissing(Exception):
    """The extra is not installed, or not whole."""


def installed_versions() -> dict[str, str]:
    """The version of the server and of every module to activate. Raises TrytonMissing."""
    names = ("trytond", "trytond-account", *(f"trytond-{module.replace('_', '-')}" for module in MODULES))
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            raise TrytonMissing(f"{name} is not installed: in your clone, pip install '.[tryton-server]'") from None
    strangers = {name: number for name, number in found.items() if not number.startswith(f"{SERIES}.")}
    if strangers:
        listed = ", ".join(f"{name} {number}" for name, number in strangers.items())
        raise TrytonMissing(f"Tryton's modules must be of one series, {SERIES}, but here is {listed}")
    return found


def program(name: str) -> str:
    """The path of `trytond` or `trytond-admin` in the environment that runs us. Raises TrytonMissing."""
    installed_versions()
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / name).is_file():
            return str(folder / name)
    raise TrytonMissing(f"{name} is not beside {sys.executable}: in your clone, pip install '.[tryton-server]'")
