"""Local endpoints that speak Lambda's API over HTTP."""
