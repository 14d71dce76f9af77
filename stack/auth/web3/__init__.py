"""Sign-in with a wallet: a signed message proves who holds an address."""
