"""From syntax and catalog to SQL text."""
