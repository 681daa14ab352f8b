"""The hybrid language model: a table of layer kinds over one residual stream."""
