"""From trained weights to ONNX files that the runtime, and other programs, can trust.

It imports `torch_model` and `tintype`; nothing imports it.
"""
