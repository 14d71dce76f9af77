"""What fails is logged without the key and the token of who asked, and for the owner alone."""

import contextlib
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
    told = ""
    for file in (stack.folder / "logs").iterdir():
        with contextlib.suppress(FileNotFoundError):  # another test's
            told += file.read_text(errors="replace")
    assert wrong in told, "the error itself is logged"
    for secret in (stack.secret_key, stack.publishable_key, marker):
        assert secret not in told


def test_logs_are_for_their_owner(stack):
    modes = {}
    for file in (stack.folder / "logs").iterdir():
        with contextlib.suppress(FileNotFoundError):  # another test's
            modes[file.name] = stat.S_IMODE(file.stat().st_mode)
    assert modes
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
