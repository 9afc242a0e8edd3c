"""The engine for accelerators: any Keras model on JAX, all replicates of a pack in one program."""
