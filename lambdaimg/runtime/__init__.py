"""Execution environments: a container of a function's image under an emulator of Lambda, and what it answers."""
