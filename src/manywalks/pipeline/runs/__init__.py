"""What people see of a Prefect run: names, artifacts, messages; and how it is cancelled."""
