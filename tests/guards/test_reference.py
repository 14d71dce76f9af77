"""docs/api.md is what the database says of itself."""

from workers.core.reference import make_reference


def test_the_page_is_the_databases(db, pytestconfig):
    written = (pytestconfig.rootpath / "docs" / "api.md").read_text()
    assert written == make_reference(db), "run `guildhall reference > docs/api.md`"
