"""The command line: options → workflow → renderer → exit code. The only importer of click.

Commands are imported when they are run, so that `--help` and completion stay quick.
"""
