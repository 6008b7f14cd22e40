"""The one seam to the container engine: its API, and the `docker buildx` and `docker compose` programs."""
