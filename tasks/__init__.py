"""The pipeline's steps, one thin file each: what it reads, the call between, what it writes.

`python -m manywalks.tasks STEP` runs one.
"""
