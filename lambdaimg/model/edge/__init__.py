"""What Lambda@Edge says and takes: settings, restrictions, events, and the rules for what a function returns."""
