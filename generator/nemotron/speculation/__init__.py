"""Several tokens in one pass over the weights: guesses from given texts, checked by the model."""
