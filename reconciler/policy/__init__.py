"""Rules over a finished plan: whether it may be applied. Nothing here changes a plan or reads the books."""
