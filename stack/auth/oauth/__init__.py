"""Sign-in with an account elsewhere: OAuth 2.0, OAuth 1.0a and OpenID Connect as a client."""
