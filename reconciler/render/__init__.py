"""A finished plan, report or error, to text for people or JSON for machines. Decides nothing, asks nothing.

Whatever comes from outside (names, values, an ERP's words) passes through `kernel.plain.printable`.
"""
