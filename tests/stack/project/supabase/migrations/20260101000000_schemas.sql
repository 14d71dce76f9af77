create schema other;
grant usage on schema other to anon, authenticated, service_role;
