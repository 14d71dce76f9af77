-- Buckets with policies of every kind, for the tests of storage.
insert into storage.buckets (id, name, public) values
('members', 'members', false),
('dropbox', 'dropbox', false),
('writeonce', 'writeonce', false),
('listed', 'listed', false),
('typed', 'typed', false);

-- members: everyone has a folder of their own
create policy members_own_folder on storage.objects for all to authenticated
using (bucket_id = 'members' and (storage.foldername(name))[1] = (select auth.uid())::text)
with check (bucket_id = 'members' and (storage.foldername(name))[1] = (select auth.uid())::text);

-- dropbox: put in, but never look
create policy dropbox_insert on storage.objects for insert to authenticated
with check (bucket_id = 'dropbox');

-- writeonce: add and read, no change and no removal
create policy writeonce_insert on storage.objects for insert to authenticated
with check (bucket_id = 'writeonce');
create policy writeonce_select on storage.objects for select to authenticated
using (bucket_id = 'writeonce');

-- listed: names may be listed, contents not read
create policy listed_select on storage.objects for select to authenticated
using (bucket_id = 'listed' and storage.allow_only_operation('object.list'));

-- typed: the policy looks at what is stored
create policy typed_insert on storage.objects for insert to authenticated
with check (
    bucket_id = 'typed'
    and (metadata ->> 'mimetype') like 'image/%'
    and coalesce((metadata ->> 'size')::bigint, 0) < 1000
);
create policy typed_select on storage.objects for select to authenticated
using (bucket_id = 'typed');

-- members may see the bucket of their folders
create policy members_see_bucket on storage.buckets for select to authenticated
using (id = 'members');
