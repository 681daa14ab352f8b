"""Reading a checkpoint: which tensors there are, what they are called, and their way to the device."""
