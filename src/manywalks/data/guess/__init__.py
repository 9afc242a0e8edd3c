"""What a raw table seems to hold, for `manywalks init`."""
