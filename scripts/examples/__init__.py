"""Draw the example documents of an invented ferry co-operative."""
