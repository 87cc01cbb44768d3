"""Planning: match, diff, lower, order. Pure: values in, a Plan out; no I/O can be imported here."""
