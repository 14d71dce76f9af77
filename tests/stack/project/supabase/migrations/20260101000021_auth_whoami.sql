-- Whom the Data API sees behind a token.
create function public.auth_whoami() returns uuid language sql stable as $$ select auth.uid() $$;
grant execute on function public.auth_whoami() to anon, authenticated;
