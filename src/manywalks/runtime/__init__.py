"""How work runs on this machine and others: processes, workers, locks, progress, storage."""
