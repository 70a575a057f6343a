"""The released ONNX files in other people's tools: what runs them, how exactly, how fast."""
