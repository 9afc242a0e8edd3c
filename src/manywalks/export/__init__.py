"""A model for other tools: one ONNX graph, one archive, a model registry."""
