-- Realtime: everyone hears their own topic `user:<id>`; nobody but the database speaks there.
drop policy if exists guildhall_hear_own on realtime.messages;
create policy guildhall_hear_own on realtime.messages for select to authenticated
using (
    extension = 'broadcast'
    and (select realtime.topic()) = 'user:' || (select auth.uid())::text
);
