"""Fields, headers and parameters whose value is a secret whatever it looks like, by their name.

Knows names, not values.
"""

from __future__ import annotations

import re
from typing import Final

from agentci.record.secrets.rules import Check

_HEADERS: Final = frozenset(
    {
        "authorization", "proxyauthorization", "xapikey", "apikey", "xgoogapikey", "xauthtoken",
        "xamzsecuritytoken", "ocpapimsubscriptionkey", "xaccesstoken", "xcsrftoken", "xgitlabtoken",
        "privatetoken", "xvaulttoken", "xgithubtoken",
    }
)  # fmt: skip
_COOKIES: Final = frozenset({"cookie", "setcookie"})
_PASSWORDS: Final = ("password", "passwd", "passphrase", "pwd")
_ENDINGS: Final = (
    "apikey", "secret", "secretkey", "accesskey", "accesstoken", "refreshtoken", "idtoken",
    "authtoken", "sessiontoken", "securitytoken", "bearertoken", "privatekey", "privatekeyid",
    "clientsecret", "signingkey", "encryptionkey", "accountkey", "subscriptionkey", "credential",
    "credentials", "webhooksecret", "secretaccesskey",
)  # fmt: skip
_NOT: Final = ("nexttoken", "pagetoken", "continuationtoken", "synctoken", "canceltoken")
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")


def plain_name(name: str) -> str:
    """Return `name` in small letters and digits alone."""
    return _SEPARATORS.sub("", name.lower())


def check_of_field(name: str) -> Check | None:
    """Return how to judge the value of a field, or None where the name says nothing."""
    name = plain_name(name)
    if name in _HEADERS:
        return "token"
    if name.endswith(_NOT):
        return None
    if name.endswith(_PASSWORDS):
        return "password"
    return "token" if name == "token" or name.endswith(_ENDINGS) else None


def is_header_of_secrets(name: str) -> bool:
    """Say whether a field is one of the headers that carry a key."""
    return plain_name(name) in _HEADERS


def is_cookie_header(name: str) -> bool:
    """Say whether a field is one of the two headers with cookies."""
    return plain_name(name) in _COOKIES
