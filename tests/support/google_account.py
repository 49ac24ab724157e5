"""A Google service account that nobody gave out: its credentials file, and the answers of a token service."""

import json
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support import upstream

EMAIL = "robot@acme.iam.gserviceaccount.com"


def credentials_file(folder: Path, token_url: str) -> Path:
    """The account's key file, written into `folder`; tokens are fetched at `token_url`."""
    path = folder / "account.json"
    account = {
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "1",
        "private_key": _private_key(),
        "client_email": EMAIL,
        "client_id": "1",
        "token_uri": f"{token_url}/token",
    }
    path.write_text(json.dumps(account))
    return path


def grants(token: str) -> upstream.Script:
    """The token service hands out `token`."""
    return upstream.answers({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})


def refuses() -> upstream.Script:
    """The token service knows the account no longer."""
    refusal = {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
    return upstream.answers(refusal, 400)


@lru_cache(maxsize=1)
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()
