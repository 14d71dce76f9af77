"""Alert rules and dashboard ask for figures that exist, with the specification's thresholds."""

import json
import re

import pytest
import yaml

from tests.fixtures.serving import serve


@pytest.fixture(scope="module")
def folder(pytestconfig):
    return pytestconfig.rootpath / "monitoring"


def _rules(folder):
    page = yaml.safe_load((folder / "alerts.yml").read_text())
    return {rule["alert"]: rule for group in page["groups"] for rule in group["rules"]}


def _expressions(folder):
    board = json.loads((folder / "dashboard.json").read_text())
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])
    yield from (rule["expr"] for rule in _rules(folder).values())


@pytest.fixture
def of_the_database(db):
    """Figures that every process of the api tells alike."""
    return {name for (name,) in db.execute(
        "select distinct (regexp_matches(prosrc, 'guildhall_[a-z_]+', 'g'))[1] from pg_proc"
        " where proname = 'figures'"
    )}  # fmt: skip


def test_more_processes_of_the_api_are_not_more_money(folder, of_the_database):
    """Each is scraped, so what all of them tell is never summed, nor drawn once for each."""
    for expression in _expressions(folder):
        for found in re.finditer(r"\bguildhall_\w+", expression):
            if found[0] in of_the_database | {"guildhall_figures_up"}:
                before = expression[: found.start()]
                assert re.search(r"\b(max|min|absent)( by \([a-z, ]+\))?\s*\($", before), expression


def test_every_figure_exists(folder, own_database, of_the_database):
    told = set(of_the_database)
    with serve(own_database) as api, api.client() as client:
        client.get("/healthz")
        text = client.get("/metrics").text
    told |= set(re.findall(r"^# TYPE (\w+) ", text, re.M))
    told |= {f"{name}_bucket" for name in told}
    asked = {
        name
        for expression in _expressions(folder)
        for name in re.findall(r"\bguildhall_\w+", expression)
    }
    assert asked <= told
    assert "guildhall_figures_up 1.0" in text
    assert "guildhall_inbox_oldest_seconds 0.0" in text


@pytest.mark.parametrize(
    ("alert", "threshold"),
    [
        ("ApiErrorRate", "> 0.05"),
        ("DatabaseProcessor", "> 0.80"),
        ("PaymentFailureRate", "> 0.10"),
        ("QueueBacklog", "> 1000"),
        ("DiskFull", "< 0.20"),
    ],
)
def test_thresholds(folder, alert, threshold):
    """Source Impact, Alerts to Configure: 5 %, 80 %, 10 %, 1000 items, 20 %."""
    assert threshold in _rules(folder)[alert]["expr"]


def test_every_rule_says_how_bad_and_what(folder):
    for name, rule in _rules(folder).items():
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert rule["annotations"]["summary"], name
