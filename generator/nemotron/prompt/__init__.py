"""From messages to what the engine reads, and from the engine's tokens back to text."""
