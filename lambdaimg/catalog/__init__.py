"""What lambdaimg knows of base images and languages: the data files of `base_images/` and `templates/`."""
