"""Finding and reading documents, OCR, passages, encoders, and the store."""
