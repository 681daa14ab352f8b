"""From what a model writes to an answer whose citations hold: labels resolved, statements checked, output plain."""
