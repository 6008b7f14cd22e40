"""The environments of a function: which one an invocation gets, when one is made, renewed and ended."""
