-- Signing up reads no list of all time zones: the default is one.
set lock_timeout = '5s';

create or replace trigger t10_check_time_zone
before insert or update of time_zone on public.user_settings
for each row when (new.time_zone <> 'UTC') execute function private.check_time_zone();
