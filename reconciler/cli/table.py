"""Every command's name, module and one line of help: what `--help` and completion know without importing one."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """`module` (under `reconciler.cli.commands`) has the click command as its attribute `command`."""

    module: str
    help: str
    section: str


START, WORK, LOOK, CARE, SHELL = "Start", "Plan and apply", "Look", "Take care of state", "Shell"

COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "Make a project here: its id, a first manifest.", START),
    "validate": Entry("validate", "Check the manifests, without looking into any books.", START),
    "fmt": Entry("fmt", "Lay manifests out in the one canonical way.", START),
    "render": Entry("render", "Show the YAML that templates become.", START),
    "import": Entry("import_", "Declare what is in the books, and bind it.", START),
    "schema": Entry("schema", "Print the manifests' JSON Schema, for editors.", START),
    "providers": Entry("providers", "List the systems it works with, or describe one.", START),
    "connection": Entry("connection", "Try a connection, and show which company answers.", START),
    "plan": Entry("plan", "Show what would be written to the books.", WORK),
    "show": Entry("show", "Show a saved plan.", WORK),
    "apply": Entry("apply", "Write a saved plan, or a new one after asking.", WORK),
    "verify": Entry("verify", "Read back what was written and compare.", WORK),
    "recover": Entry("recover", "Settle what an interrupted apply left unknown.", WORK),
    "state": Entry("state", "Look into state; rename, forget, export, import or move it.", LOOK),
    "documents": Entry("documents", "Get a document as the ERP prints it.", LOOK),
    "history": Entry("history", "List every run, or verify the chain of entries.", LOOK),
    "ledger": Entry("ledger", "Reports of the embedded ledger, or serve it.", LOOK),
    "sandbox": Entry("sandbox", "Serve a simulated ERP on this machine.", LOOK),
    "force-unlock": Entry("force_unlock", "Remove the lock of a run that is certainly dead.", CARE),
    "completion": Entry("completion", "Print the completion script of bash, zsh or fish.", SHELL),
    "version": Entry("version", "Print the version.", SHELL),
}
