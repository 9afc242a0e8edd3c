"""The nightly contest of champion and challenger."""
