"""The kit sandboxes are served with: sockets, switches, a request log, books with a vendor's tables beside them.

A vendor writes plain functions from `Call` to `Reply`; the kit does the rest. `start` and `application` are its
face. Not here: any vendor's wire format.
"""

from reconciler.sandboxes.serving.running import Running, RunningProcess, application, start, start_process

__all__ = ["Running", "RunningProcess", "application", "start", "start_process"]
