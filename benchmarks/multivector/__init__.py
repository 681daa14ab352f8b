"""What the benchmarks of late interaction share: real token states, pages made of them, sides that search them."""
