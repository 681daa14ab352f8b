"""Operations of the hybrid vision-language model: a Triton kernel, a PyTorch twin and a float64 reference of each."""
