"""What lambdaimg costs beside what people use today, and beside the floor (docs/benchmarks.md)."""
