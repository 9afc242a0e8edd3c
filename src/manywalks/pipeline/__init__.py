"""What Prefect, DVC and git know of a run: stages, records, versions, artifacts."""
