"""What may be declared: one file a kind, and what every kind has in common.

Content is a typed mapping (`TypedDict`): a key that is absent is unmanaged, `None` clears the field.
Decimals are Decimal, dates are date, references are names until they are resolved.
"""
