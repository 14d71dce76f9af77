"""The root describes what the caller may reach, with the database's own comments."""

import pytest


@pytest.fixture(scope="module")
def described(api):
    answer = api.get("")
    assert answer.headers["content-type"] == "application/openapi+json; charset=utf-8"
    return answer.json()


def test_only_what_the_caller_may_reach(api, described):
    assert described["swagger"] == "2.0"
    assert "/rest_clients" in described["paths"]
    assert "/rest_hidden" not in described["paths"]
    assert "/rest_secrets" not in described["paths"]
    assert "/rest_events_2026" not in described["paths"]
    assert "/rpc/rest_add" in described["paths"]
    assert "/rpc/rest_hidden_function" not in described["paths"]
    assert "/rest_secrets" in api.get("", token=api.token()).json()["paths"]


def test_comments(described):
    assert described["paths"]["/rest_clients"]["get"]["summary"] == "Who pays."
    assert described["paths"]["/rest_clients"]["get"]["description"] == "They are billed monthly."
    assert described["paths"]["/rpc/rest_add"]["get"]["summary"] == "Add two numbers."
    columns = described["definitions"]["rest_clients"]["properties"]
    assert columns["name"]["description"] == "The name on the bill."


def test_columns(described):
    columns = described["definitions"]["rest_projects"]["properties"]
    assert columns["id"] == {
        "description": "Note:\nThis is a Primary Key.<pk/>",
        "format": "int32",
        "type": "integer",
    }
    assert columns["client_id"]["description"] == (
        "Note:\nThis is a Foreign Key to `rest_clients.id`.<fk table='rest_clients' column='id'/>"
    )
    assert columns["mood"]["enum"] == ["happy", "sad"]
    assert columns["budget"] == {"default": 0, "format": "numeric", "type": "number"}
    tags = described["definitions"]["rest_clients"]["properties"]["tags"]
    assert (tags["type"], tags["items"]) == ("array", {"type": "string"})
    assert set(described["definitions"]["rest_clients"]["required"]) == {
        "id", "name", "vip", "tags",
    }  # fmt: skip


def test_functions(described):
    path = described["paths"]["/rpc/rest_add"]
    assert path["get"]["parameters"] == [
        {"name": "a", "in": "query", "required": True, "type": "integer", "format": "int32"},
        {"name": "b", "in": "query", "required": False, "type": "integer", "format": "int32"},
    ]
    assert "get" not in described["paths"]["/rpc/rest_changes"]


def test_every_reference_leads_somewhere(described):
    def references(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "$ref":
                    yield inner
                else:
                    yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in references(described["paths"]):
        _, kind, name = reference.split("/", 2)
        assert name in described[kind]


def test_other_schemas_and_methods(api):
    other = api.get("", headers={"accept-profile": "other"}).json()
    assert "/rest_only_here" in other["paths"]
    assert "/rest_projects" not in other["paths"]
    assert api("HEAD", "").content == b""
    refused = api("POST", "")
    assert (refused.status_code, refused.json()["code"]) == (405, "PGRST117")
    assert api.get("", headers={"accept": "text/csv"}).status_code == 406
