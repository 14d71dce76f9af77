"""Mails: templates of the project, SMTP, the inbox, and markup that cannot bite."""

import asyncio

import httpx
import pytest

from stack.auth.templates import TemplateError, render
from stack.inbox.messages import Messages

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ .Token }} for {{.Email}}", "123456 for a@example.com"),
        ("{{ .Data.name }}!", "&lt;b&gt;Ada&lt;/b&gt;!"),
        ("{{ .Data.missing }}{{ .Nothing.at.all }}", ""),
        ("{{ if .Data.name }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if .Data.missing }}yes{{ else if .Email }}mail{{ else }}no{{ end }}", "mail"),
        ('{{ if eq .Data.lang "de" }}Hallo{{ else }}Hello{{ end }}', "Hallo"),
        ('{{ if ne .Data.lang "de" }}x{{ end }}y', "y"),
        ("{{ if and .Email .Data.no }}x{{ end }}{{ if or .Data.no .Email }}y{{ end }}", "y"),
        ("a {{- .Token -}} b", "a123456b"),
        ("{{ if .Email }}{{ if not .Token }}x{{ else }}y{{ end }}{{ end }}z", "yz"),
        ("{{/* a comment */}}text", "text"),
    ],
)  # fmt: skip
def test_templates(template, expected):
    values = {
        "Token": "123456",
        "Email": "a@example.com",
        "Data": {"name": "<b>Ada</b>", "lang": "de"},
    }
    assert render(template, values) == expected


@pytest.mark.parametrize("template", ["{{ if .A }}", "{{ call .X }}", "{{ range .A }}{{ end }}"])
def test_templates_that_go_beyond(template):
    with pytest.raises(TemplateError):
        render(template, {"A": 1})


async def test_a_projects_own_template(variant, inbox, email):
    template = {
        "subject": "Hi {{ .Data.name }}",
        "content": "<p>{{ .Data.name }}: {{ .TokenHash }} {{ .RedirectTo }} {{ .SiteURL }}</p>",
    }
    client = await variant({"email": {"template": {"confirmation": template}}})
    data = {"name": "<img src=x onerror=alert(1)>\r\nBcc: all@example.com"}
    target = "https://app.example.com/in"
    await client.post(
        "/signup",
        params={"redirect_to": target},
        json={"email": email, "password": PASSWORD, "data": data},
    )
    message = inbox(email)
    assert message["subject"] == "Hi <img src=x onerror=alert(1)> Bcc: all@example.com"
    assert "<img" not in message["html"]
    assert f"{target} http://127.0.0.1:3000</p>" in message["html"]


async def test_mail_goes_out_by_smtp(variant, email):
    received: list[str] = []
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode():
            received.append(line)
            if line.upper().startswith("DATA"):
                writer.write(b"354 go on\r\n")
                while (line := (await reader.readline()).decode()) != ".\r\n":
                    received.append(line)
                done.set()
            writer.write(b"221 bye\r\n" if line.upper().startswith("QUIT") else b"250 ok\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    smtp = {
        "host": "127.0.0.1",
        "port": port,
        "admin_email": "noreply@example.com",
        "sender_name": "Guildhall",
    }
    client = await variant({"email": {"smtp": smtp}})
    answered = await client.post("/signup", json={"email": email, "password": PASSWORD})
    assert answered.status_code == 200
    await asyncio.wait_for(done.wait(), 15)
    text = "".join(received)
    assert f"RCPT TO:<{email}>" in text
    assert "From: Guildhall <noreply@example.com>" in text
    assert "/auth/v1/verify?token=" in text.replace("=\r\n", "").replace("=3D", "=")
    server.close()


def test_inbox_is_bounded_and_survives(tmp_path):
    messages = Messages(tmp_path, bound=3)
    kept = [messages.add("a@example.com", str(number), "<p>x</p>") for number in range(5)]
    again = Messages(tmp_path, bound=3)
    assert len(again.all()) == 3
    assert again.get(kept[-1].id) == kept[-1]
    assert again.all("B@example.com") == []
    assert again.clear("A@example.com") == 3


def test_inbox_page_and_mails_run_no_script(stack, api, inbox, email):
    api.post("/signup", json={"email": email, "password": PASSWORD})
    message = inbox(email)
    page = httpx.get(stack.url + "/inbox")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    body = httpx.get(f"{stack.url}/inbox/messages/{message['id']}/html")
    policy = body.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert body.headers["x-content-type-options"] == "nosniff"


def test_inbox_keeps_to_its_folder_and_its_site(stack, api, email):
    api.post("/signup", json={"email": email, "password": PASSWORD})
    for odd in ("..%2f..%2fsecrets", "%2e%2e", "x", "../../secrets.json"):
        assert httpx.get(f"{stack.url}/inbox/messages/{odd}").status_code == 404
    url = f"{stack.url}/inbox/messages"
    for method in ("GET", "DELETE"):
        headers = {"sec-fetch-site": "cross-site", "origin": "https://evil.example.org"}
        foreign = httpx.request(method, url, params={"to": email}, headers=headers)
        assert foreign.status_code == 403
    assert httpx.delete(url, params={"to": email}).json() == {"removed": 1}
    assert httpx.get(url, params={"to": email}).json() == []
