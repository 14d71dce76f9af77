"""OAuth 1.0a requests are signed as X's documentation shows."""

import re
from urllib.parse import unquote

from stack.auth.oauth.signed_requests import Consumer, Token, authorization_header


def test_documented_signature():
    # X Developer Platform, "Creating a signature"
    header = authorization_header(
        "POST",
        "https://api.twitter.com/1.1/statuses/update.json",
        Consumer("xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"),
        Token(
            "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        ),
        parameters={
            "status": "Hello Ladies + Gentlemen, a signed OAuth request!",
            "include_entities": "true",
        },
        nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        timestamp=1318622958,
    )
    signature = re.search('oauth_signature="([^"]+)"', header)
    assert signature is not None
    assert unquote(signature[1]) == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="


def test_header_names_no_secret():
    header = authorization_header("GET", "https://x.example/", Consumer("key", "hidden"))
    assert header.startswith("OAuth ")
    assert "hidden" not in header
