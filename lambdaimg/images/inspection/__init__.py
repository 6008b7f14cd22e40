"""What an image is made of, wherever it lies: its manifest, its configuration, and every file of every layer."""
