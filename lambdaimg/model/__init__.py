"""What a project says: settings, quotas, the project file, events and results, errors. No Docker, no HTTP."""
