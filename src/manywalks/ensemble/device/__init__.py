"""Prediction on an accelerator: the ensemble's own Keras file, by Keras on JAX, in a process of its own."""
