"""Videos: which frames are shown, how they are labelled, and which of their tokens are dropped."""
