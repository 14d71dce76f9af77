"""What every domain shares: settings, connections, errors, log."""
