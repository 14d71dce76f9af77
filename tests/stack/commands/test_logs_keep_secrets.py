"""What fails is logged without the key and the token of who asked, and for the owner alone."""

import stat
import uuid

import httpx


def test_a_failing_statement_tells_no_key(stack):
    marker, wrong = f"token-{uuid.uuid4()}", f"no-number-{uuid.uuid4()}"
    for key in (stack.secret_key, stack.publishable_key):
        answer = httpx.get(
            f"{stack.url}/rest/v1/rest_clients",
            params={"id": f"eq.{wrong}"},
            headers={"apikey": key, "x-shown": marker},
        )
        assert answer.json()["code"] == "22P02", answer.text
    files = (stack.folder / "logs").iterdir()
    told = "".join(file.read_text(errors="replace") for file in files)
    assert wrong in told, "the error itself is logged"
    for secret in (stack.secret_key, stack.publishable_key, marker):
        assert secret not in told


def test_logs_are_for_their_owner(stack):
    files = list((stack.folder / "logs").iterdir())
    assert files
    assert [file.name for file in files if stat.S_IMODE(file.stat().st_mode) & 0o077] == []
