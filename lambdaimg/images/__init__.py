"""From a function to its image: plan, render, build, inspect."""
