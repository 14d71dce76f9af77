"""The HTTP routes that the Data API cannot serve: webhooks, and calls that wait for a provider."""
