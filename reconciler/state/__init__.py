"""The state store: what we bound, what we sent, what we know happened. One protocol, several backends."""
