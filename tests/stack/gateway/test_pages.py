"""The pages for people: what they show, and that no other site or machine may read them."""

import uuid

import httpx
import pytest

PAGES = ["/", "/tables", "/logs", "/logs/postgres", "/inbox"]


def test_front_page_shows_what_runs_and_how_to_reach_it(stack):
    page = httpx.get(f"{stack.url}/").text
    for shown in ("Postgres 17", "Data API", "Auth", "Storage", "Realtime", stack.url):
        assert shown in page
    assert f">{stack.publishable_key}</code>" in page
    assert "stack-tests" in page, "the project's name"
    # behind a click
    before, _, after = page.partition(stack.secret_key)
    assert before.rstrip().endswith('<summary>show</summary><code class="key">')
    assert after.startswith("</code></details>")
    assert "<script" not in page


@pytest.mark.parametrize("path", PAGES)
def test_pages_tell_browsers_to_keep_others_out(stack, path):
    answer = httpx.get(stack.url + path, headers={"origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    preflight = httpx.options(
        stack.url + path,
        headers={"origin": "https://evil.example", "access-control-request-method": "GET"},
    )
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("path", [*PAGES, "/health", "/nothing"])
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "127.0.0.1:x"]
)
def test_a_name_that_points_here_reads_nothing(stack, path, host):
    """DNS rebinding: the browser believes that evil.example is this machine."""
    answer = httpx.get(stack.url + path, headers={"host": host})
    assert answer.status_code in (400, 403, 404)
    assert stack.secret_key not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:80", "[::1]:54321"])
def test_names_of_this_machine_are_welcome(stack, host):
    assert httpx.get(f"{stack.url}/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/logs/..%2fsecrets", "/logs/../secrets.json", "/logs/%2e%2e/env", "/logs/nothing"]
)
def test_logs_are_only_logs(stack, path):
    answer = httpx.get(stack.url + path)
    assert answer.status_code == 404
    assert stack.secret_key not in answer.text


def test_log_is_shown_as_text(stack):
    """A log of its own: what other tests make Postgres log would push any line out of sight."""
    name = f"probe-{uuid.uuid4().hex}"
    log = stack.folder / "logs" / f"{name}.log"
    log.touch(mode=0o600)
    log.write_text("<b>ready</b> & able\n")
    try:
        answer = httpx.get(f"{stack.url}/logs/{name}")
    finally:
        log.unlink()
    assert "&lt;b&gt;ready&lt;/b&gt; &amp; able" in answer.text
    assert f'href="/logs/{name}" aria-current="page"' in answer.text


def test_logs_open_with_what_happened_last(stack):
    answer = httpx.get(f"{stack.url}/logs")
    assert answer.status_code == 200
    assert "/logs/postgres" in answer.text
