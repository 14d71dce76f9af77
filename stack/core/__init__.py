"""What every service of the stack shares: settings, keys, tokens, callers, connections."""
