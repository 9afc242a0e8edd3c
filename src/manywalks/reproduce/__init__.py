"""Train a model afresh and check what the statement promised."""
