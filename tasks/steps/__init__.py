"""Each stage of dvc.yaml: read its inputs, call the plain functions, write its outputs."""
