"""Probes tell the truth: alive, ready, and what is missing."""

import psycopg
import pytest

from tests.fixtures.serving import serve, token_of


def test_ready(served):
    with served.client() as client:
        answer = client.get("/readyz")
    assert answer.status_code == 200
    found = answer.json()["data"]
    newest = served.execute("select max(version) from supabase_migrations.schema_migrations")
    assert found["latest_migration"] == newest[0][0]
    assert (found["database"], found["workers"]) == ("reachable", 0)


def test_the_queue_is_counted(served):
    with served.client() as client:
        before = client.get("/readyz").json()["data"]["waiting_jobs"]
        served.execute("select private.enqueue('ops.nothing') from generate_series(1, 3)")
        assert client.get("/readyz").json()["data"]["waiting_jobs"] == before + 3


def test_a_database_behind_the_code_is_not_ready(own_database):
    with psycopg.connect(own_database) as db:
        db.execute(
            "delete from supabase_migrations.schema_migrations where version ="
            " (select max(version) from supabase_migrations.schema_migrations)"
        )
    with serve(own_database) as running, running.client() as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["error"]["details"] == {"missing": "migrations"}
        running.execute("drop function private.readiness")
        assert client.get("/readyz").json()["error"]["details"] == {"missing": "migrations"}
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/readyz", "/me"])
def test_without_a_database(served, path):
    """The api starts, lives, and says that it cannot serve."""
    nowhere = "postgresql://postgres:secret-password@127.0.0.1:1/x?connect_timeout=1"
    with serve(nowhere, api_timeout_seconds=3) as running:
        with running.client(token_of("7d3f0c5e-3f0b-4c7e-9a43-0e6a3c1f2b7a")) as client:
            assert client.get("/healthz").status_code == 200
            answer = client.get(path)
        assert answer.status_code in (503, 504)
        assert "secret-password" not in answer.text


def test_figures(served):
    _, token = served.person("counted")
    with served.client(token) as client:
        client.get("/me")
        client.get("/nowhere/at/all")
        client.request("TRACE", "/me")
        text = client.get("/metrics").text
    assert 'guildhall_http_requests_total{method="GET",route="/me",status="200"}' in text
    assert 'guildhall_http_requests_total{method="GET",route="none",status="404"}' in text
    assert 'method="other"' in text
    assert "TRACE" not in text
    assert "nowhere" not in text
    assert 'guildhall_database_pool{state="open"}' in text
