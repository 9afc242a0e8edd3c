"""Networks on graphs without empty slots: their tables on the device, and what programs compute with them."""
