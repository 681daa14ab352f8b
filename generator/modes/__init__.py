"""Other ways to answer from the same pages: fill in a form, compare, summarise, go on from earlier questions."""
