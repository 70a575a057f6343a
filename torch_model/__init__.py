"""The training side of Tintype: networks, photographs, losses, metrics, checkpoints.

It imports `tintype`, the light runtime, and is never imported by it.
"""
