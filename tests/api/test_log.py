"""A whole run leaves JSON lines with request ids, and not one secret."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time

import httpx
import pytest

from stack.core.config import free_port
from tests.fixtures.serving import SECRET, token_of

WEBHOOK = "whsec_of_this_run"


@pytest.fixture
def running(own_database, pytestconfig):
    """`python -m api` as it is deployed; its address, its log, and how to end it."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": own_database,
        "SUPABASE_JWT_SECRET": SECRET,
        "STRIPE_WEBHOOK_SECRETS": json.dumps([WEBHOOK]),
        "METRICS_TOKEN": "token-for-prometheus",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "api", "--port", str(port)],
        env=environment, cwd=pytestconfig.rootpath, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{url}/healthz", trust_env=False)
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline, "the api did not start"
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
        yield url, process
        process.kill()


def test_a_run_tells_no_secret(running, own_database):
    url, process = running
    token, forged = token_of("7d3f0c5e-3f0b-4c7e-9a43-0e6a3c1f2b7a"), token_of("x", "y" * 40)
    now = int(time.time())
    signature = hmac.new(WEBHOOK.encode(), f"{now}.{{}}".encode(), hashlib.sha256).hexdigest()
    stripe = {"stripe-signature": f"t={now},v1={signature}"}
    with httpx.Client(base_url=url, trust_env=False) as client:
        client.get("/me", headers={"authorization": f"Bearer {token}", "x-request-id": "mine"})
        client.get("/me", headers={"authorization": f"Bearer {forged}"})
        client.get("/me", headers={"authorization": "Bearer sb_secret_of_the_project"})
        client.get("/me?apikey=key-in-the-query", headers={"apikey": "key-in-a-header"})
        client.post("/webhooks/stripe", content="{}", headers=stripe)
        assert client.get("/metrics").status_code == 401
        shown = {"authorization": "Bearer token-for-prometheus"}
        assert client.get("/metrics", headers=shown).status_code == 200
    process.terminate()
    _, log = process.communicate(timeout=20)
    lines = [json.loads(line) for line in log.splitlines()]
    mine = [line for line in lines if line.get("request_id") == "mine"]
    assert [line["message"] for line in mine] == ["answered"], log
    assert mine[0]["route"] == "/me"
    assert mine[0]["status"] == 404
    secrets = (
        token, forged, SECRET, WEBHOOK, signature, own_database, "sb_secret_of", "key-in-",
        "token-for-prometheus", *(part for part in token.split(".")[1:]),
    )  # fmt: skip
    assert [secret for secret in secrets if secret in log] == []


def test_a_bad_setting_stops_it_in_one_line(pytestconfig):
    environment = os.environ | {"DATABASE_URL": "x", "SUPABASE_JWT_SECRET": "hidden"}
    done = subprocess.run(
        [sys.executable, "-c", "import api.main"],
        env=environment, cwd=pytestconfig.rootpath, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("guildhall api: SUPABASE_JWT_SECRET:")
    assert len(done.stderr.splitlines()) == 1
    assert "hidden" not in done.stderr
