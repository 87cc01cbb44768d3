"""The real Tryton as a sandbox: started here, never imported; with books to play with and to test against."""

from reconciler.sandboxes.tryton.packages import TrytonMissing
from reconciler.sandboxes.tryton.process import ServerFailed
from reconciler.sandboxes.tryton.server import TrytonServer

__all__ = ["ServerFailed", "TrytonMissing", "TrytonServer"]
