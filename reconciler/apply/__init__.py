"""Apply: journal, send, record; recovery by looking; verification. Decides nothing that a plan did not say."""
