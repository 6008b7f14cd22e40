"""CloudFront, locally: the walk of a request through triggers, cache and origin."""
