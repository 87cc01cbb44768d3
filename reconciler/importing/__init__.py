"""From live books to a declaration: what is declared, under which name, in which file, and what state is to know.

Pure but for `putting`, which writes the files. State is written by `apply.bookkeeping`, under the run's fence.
"""
