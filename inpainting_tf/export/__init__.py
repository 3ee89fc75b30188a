"""Trained networks in the formats of other programs: `python -m inpainting_tf.export`.

folding      batch normalization folded into the layers before it: the same network in fewer operations
saved_model  for TensorFlow Serving, and `tf.saved_model.load` in a process without Keras (docs/serving.md)
warmup       the requests with which TensorFlow Serving begins
litert       for phones and other small machines
onnx         for ONNX Runtime and other readers
openvino     not a format but an engine: networks run faster on a CPU
"""
