"""The Data API as supabase-py uses it, sync and async."""

import pytest
from postgrest import APIError, CountMethod

from supabase import acreate_client, create_client


@pytest.fixture(scope="module")
def client(stack):
    return create_client(stack.url, stack.publishable_key)


def test_reads(client):
    found = (
        client.table("rest_clients")
        .select("name, rest_projects(name)", count=CountMethod.exact)
        .lt("id", 3)
        .order("id")
        .order("id", desc=True, foreign_table="rest_projects")
        .execute()
    )
    assert found.count == 2
    assert found.data == [
        {"name": "Acme", "rest_projects": [{"name": "Beta"}, {"name": "Alpha"}]},
        {"name": "Bolt", "rest_projects": [{"name": "Gamma"}]},
    ]


FILTERS = [
    (lambda q: q.eq("name", "Beta"), [2]),
    (lambda q: q.neq("id", 1).lte("id", 2), [2]),
    (lambda q: q.gt("id", 3), [4]),
    (lambda q: q.like("name", "%lph%"), [1]),
    (lambda q: q.ilike("name", "%LPH%"), [1]),
    (lambda q: q.like_all_of("name", "A*,*a"), [1]),
    (lambda q: q.like_any_of("name", "Al*,Be*"), [1, 2]),
    (lambda q: q.ilike_any_of("name", "al*,be*"), [1, 2]),
    (lambda q: q.is_("client_id", "null"), [4]),
    (lambda q: q.not_.is_("client_id", "null").gt("id", 2), [3]),
    (lambda q: q.in_("name", ["Alpha", 'quoted "x", (y)']), [1]),
    (lambda q: q.range_gt("span", ["1", "6"]), [3]),
    (lambda q: q.range_adjacent("span", ["9", "20"]), [3]),
    (lambda q: q.text_search("notes", "fox"), [1]),
    (lambda q: q.match({"id": 1, "name": "Alpha"}), [1]),
    (lambda q: q.or_("id.eq.1,and(id.gt.3,name.eq.Delta)"), [1, 4]),
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_filters(client, number):
    narrow, wanted = FILTERS[number]
    query = client.table("rest_projects").select("id").lt("id", 1000)
    found = narrow(query).order("id").execute()
    assert [row["id"] for row in found.data] == wanted


def test_single_rows(client):
    table = client.table("rest_clients")
    assert table.select("name").eq("id", 1).single().execute().data == {"name": "Acme"}
    assert table.select("name").eq("id", -1).maybe_single().execute() is None
    with pytest.raises(APIError) as refused:
        table.select("name").single().execute()
    assert refused.value.code == "PGRST116"


def test_writes(client, db):
    table = client.table("rest_scratch")
    number = 1_500_000_000 + db.info.backend_pid
    try:
        assert table.insert({"id": number, "number": 1}).execute().data[0]["number"] == 1
        assert table.upsert({"id": number, "number": 2}).execute().data[0]["number"] == 2
        changed = table.update({"number": 3}).eq("id", number).execute()
        assert changed.data[0]["number"] == 3
    finally:
        gone = table.delete(count=CountMethod.exact).eq("id", number).execute()
    assert (gone.count, gone.data[0]["number"]) == (1, 3)


def test_functions(client):
    assert client.rpc("rest_add", {"a": 1}).execute().data == 11
    assert client.rpc("rest_add", {"a": 1, "b": 2}, get=True).execute().data == 3
    rows = client.rpc("rest_rows", {}).select("id").eq("id", 2).single().execute()
    assert rows.data == {"id": 2}
    assert client.rpc("rest_rows", {}, head=True, count=CountMethod.exact).execute().count == 4


def test_csv_and_plans(client):
    text = client.table("rest_clients").select("id,name").eq("id", 1).csv().execute()
    assert text.data == "id,name\n1,Acme"
    plan = client.table("rest_clients").select("id").explain(format="json", analyze=True).execute()
    assert plan.data[0]["Plan"]["Node Type"] == "Aggregate"


def test_schemas(client):
    assert client.schema("other").table("rest_clients").select("name").execute().data == [
        {"name": "Elsewhere"}
    ]


async def test_async(stack):
    client = await acreate_client(stack.url, stack.publishable_key)
    found = await client.table("rest_clients").select("name").eq("id", 1).single().execute()
    assert found.data == {"name": "Acme"}
    assert (await client.rpc("rest_words", {}).execute()).data == ["x", "y", "z"]
    with pytest.raises(APIError) as refused:
        await client.table("rest_hidden").select("*").execute()
    assert refused.value.code == "42501"
