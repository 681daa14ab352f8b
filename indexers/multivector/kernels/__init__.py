"""The two comparisons of the tiers, each as a plain reference and compiled, and the exact one that they approach."""
