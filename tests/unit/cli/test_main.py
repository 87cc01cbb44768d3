"""The command line itself: help, wrong use, endings, machines' errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from reconciler import __version__
from reconciler.cli.help import help_text
from reconciler.cli.interrupts import AnnouncedStop
from reconciler.cli.invocation import Invocation
from reconciler.cli.main import group, main
from reconciler.cli.table import COMMANDS
from reconciler.kernel.errors import ExitCode


def commands(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    inner = command.commands if isinstance(command, click.Group) else {}
    return [path, *(found for name in inner for found in commands(inner[name], (*path, name)))]


def as_module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reconciler", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def every_command() -> list[tuple[str, ...]]:
    context = click.Context(group)
    return [path for name in COMMANDS for path in commands(group.get_command(context, name), (name,))]


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_every_help_teaches_by_example(path):
    result = CliRunner().invoke(group, [*path, "--help"], obj=Invocation())
    assert result.exit_code == 0, result.output
    assert f"reconciler {' '.join(path)}" in result.output
    assert "Example" in result.output or path == ("version",)


def test_the_main_help_lists_every_command_and_every_exit_code(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert text == help_text() + "\n"
    for name in COMMANDS:
        assert f"\n  {name} " in text
    for code in ExitCode:
        assert f"\n  {int(code)}  " in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_help_lines_agree_with_the_commands_own():
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name


def test_version(capsys):
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith(f"reconciler {__version__} (Python ")
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == __version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plann"], "Error: There is no command 'plann'. Did you mean 'plan'?\n  See reconciler --help.\n"),
        (["zzz"], "Error: There is no command 'zzz'. See reconciler --help."),
        (["plan", "--nonsense"], "Error: No such option"),
        (["plan", "--refresh=some"], "Error: Invalid value for '--refresh'"),
        (["show"], "Error: Missing argument 'FILE'.\n  See reconciler show --help.\n"),
        (["--chdir", "/nowhere/at/all", "plan"], "Error: --chdir /nowhere/at/all: there is no such folder\n"),
        (["state"], "Usage: reconciler state"),
        ([], "Usage: reconciler"),
    ],
)
def test_wrong_use_is_exit_code_1_never_2(arguments, message, capsys):
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_wrong_use_for_machines(capsys):
    assert main(["plan", "--nonsense", "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    error = json.loads(printed.out)["error"]
    assert error["what"].startswith("No such option")
    assert error["exit_code"] == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "_RECONCILER_COMPLETE" in capsys.readouterr().out


def test_completion_completes_commands_and_their_options():
    def completed(words: str, number: str) -> str:
        environment = {
            **os.environ,
            "_RECONCILER_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": number,
        }
        command = [sys.executable, "-m", "reconciler"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    assert completed("reconciler pl", "1") == "plain,plan\n"
    assert "plain,--detailed-exitcode" in completed("reconciler plan --d", "2")
    assert "plain,trial-balance" in completed("reconciler ledger t", "2")


# ---- endings ----------------------------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch):
    """Makes `version` raise an error."""

    def install(error: BaseException) -> None:
        import platform

        def fail() -> str:
            raise error

        monkeypatch.setattr(platform, "python_version", fail)

    return install


def test_a_bug_is_one_clear_message_without_what_it_quotes(failing, capsys, monkeypatch):
    failing(RuntimeError("the secret is hunter2"))
    assert main(["version"]) == 1
    printed = capsys.readouterr()
    assert "Error: unexpected RuntimeError at reconciler/cli/commands/version.py:" in printed.err
    assert "this is a bug" in printed.err
    assert "RECONCILER_DEBUG=1" in printed.err
    assert "hunter2" not in printed.err + printed.out
    assert "Traceback" not in printed.err
    monkeypatch.setenv("RECONCILER_DEBUG", "1")
    assert main(["version"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(failing, capsys):
    failing(KeyboardInterrupt())
    assert main(["version"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_a_closed_pipe_is_quiet():
    program = "import sys; from reconciler.cli.main import main; sys.exit(main(['completion', 'zsh']))"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        run = subprocess.run([sys.executable, "-c", program], stdout=closed, stderr=subprocess.PIPE, check=False)
    assert run.stderr == b""
    assert run.returncode == 141


def test_it_runs_as_a_module():
    helped = as_module("--help")
    assert (helped.returncode, helped.stdout) == (0, help_text() + "\n")
    wrong = as_module("plann")
    assert wrong.returncode == 1
    assert "Did you mean 'plan'?" in wrong.stderr


def test_output_that_the_terminal_cannot_show_is_replaced():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "reconciler", "plan"]
    run = subprocess.run(command, env=environment, capture_output=True, check=False, cwd="/")
    assert run.returncode == 1
    assert b"Error: " in run.stderr


def test_the_first_request_to_stop_is_announced_only_when_a_run_listens(capfd):
    stop = AnnouncedStop()
    stop.request_stop()
    assert capfd.readouterr().err == ""
    stop = AnnouncedStop()
    stop.wakes(lambda: None)
    stop.request_stop()
    assert "what is in flight is finished first" in capfd.readouterr().err
    assert stop.stopping
    assert not stop.at_once
    stop.request_stop()
    assert "Stopping now" in capfd.readouterr().err
    assert stop.at_once


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_ask_to_stop(number):
    program = (
        "import os, signal, sys, time\n"
        "from reconciler.cli.interrupts import AnnouncedStop\n"
        "stop = AnnouncedStop()\n"
        "stop.wakes(lambda: None)\n"
        "with stop.on_interrupt():\n"
        "    print('ready', flush=True)\n"
        "    deadline = time.monotonic() + 30\n"
        "    while not stop.stopping and time.monotonic() < deadline: time.sleep(0.01)\n"
        "sys.exit(0 if stop.stopping else 9)\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Stopping: what is in flight is finished first." in err
