"""Prediction on an accelerator, in a process of its own: Keras on JAX, and graphs without Keras."""
