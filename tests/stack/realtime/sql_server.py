"""Runs SQL for the JavaScript suites: one JSON request a line, one JSON answer a line."""

import json
import os
import sys

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    for line in sys.stdin:
        request = json.loads(line)
        cursor = connection.execute(request["sql"], request["values"])
        rows = cursor.fetchall() if cursor.description else []
        print(json.dumps(rows, default=str), flush=True)
