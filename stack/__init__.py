"""An embedded Supabase: Postgres 17 and one Python process that speaks Supabase's own APIs.

For machines without Docker: development, tests, demos. Production runs the real Supabase.
Knows nothing of the project it serves but its `supabase/` folder and its `stack.toml`.
"""
