"""From a tested image to a deployed function: policies, zips, registries, AWS, and manifests for others' tools."""
