"""Systems as other evaluation frameworks call them."""
