-- Storage as a hosted project has it: buckets and objects behind row-level security, the helpers
-- that policies call, and the tables of features the stack does not serve, so that dumps restore.
set local role supabase_storage_admin;

create type storage.buckettype as enum ('STANDARD', 'ANALYTICS', 'VECTOR');

create table storage.migrations (
    id integer not null,
    name varchar(100) not null,
    hash varchar(40) not null,
    executed_at timestamp default current_timestamp,
    constraint migrations_pkey primary key (id),
    constraint migrations_name_key unique (name)
);

create table storage.buckets (
    id text not null,
    name text not null,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    avif_autodetection boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    owner_id text,
    type storage.buckettype not null default 'STANDARD',
    constraint buckets_pkey primary key (id)
);
create unique index bname on storage.buckets (name);
comment on column storage.buckets.owner is 'Field is deprecated, use owner_id instead';

create table storage.objects (
    id uuid not null default gen_random_uuid(),
    bucket_id text,
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    path_tokens text[] generated always as (string_to_array(name, '/')) stored,
    version text,
    owner_id text,
    user_metadata jsonb,
    constraint objects_pkey primary key (id),
    constraint "objects_bucketId_fkey" foreign key (bucket_id) references storage.buckets (id)
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index idx_objects_bucket_id_name on storage.objects (bucket_id, name collate "C");
create index idx_objects_bucket_id_name_lower
on storage.objects (bucket_id, lower(name) collate "C");
create index name_prefix_search on storage.objects (name text_pattern_ops);
comment on column storage.objects.owner is 'Field is deprecated, use owner_id instead';

create table storage.s3_multipart_uploads (
    id text not null,
    in_progress_size bigint not null default 0,
    upload_signature text not null,
    bucket_id text not null,
    key text collate "C" not null,
    version text not null,
    owner_id text,
    created_at timestamptz not null default now(),
    user_metadata jsonb,
    constraint s3_multipart_uploads_pkey primary key (id),
    constraint s3_multipart_uploads_bucket_id_fkey
    foreign key (bucket_id) references storage.buckets (id)
);
create index idx_multipart_uploads_list
on storage.s3_multipart_uploads (bucket_id, key, created_at);

create table storage.s3_multipart_uploads_parts (
    id uuid not null default gen_random_uuid(),
    upload_id text not null,
    size bigint not null default 0,
    part_number integer not null,
    bucket_id text not null,
    key text collate "C" not null,
    etag text not null,
    owner_id text,
    version text not null,
    created_at timestamptz not null default now(),
    constraint s3_multipart_uploads_parts_pkey primary key (id),
    constraint s3_multipart_uploads_parts_bucket_id_fkey
    foreign key (bucket_id) references storage.buckets (id),
    constraint s3_multipart_uploads_parts_upload_id_fkey
    foreign key (upload_id) references storage.s3_multipart_uploads (id) on delete cascade
);

create table storage.buckets_analytics (
    name text not null,
    type storage.buckettype not null default 'ANALYTICS',
    format text not null default 'ICEBERG',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    id uuid not null default gen_random_uuid(),
    deleted_at timestamptz,
    constraint buckets_analytics_pkey primary key (id)
);
create unique index buckets_analytics_unique_name_idx
on storage.buckets_analytics (name) where deleted_at is null;

create table storage.buckets_vectors (
    id text not null,
    type storage.buckettype not null default 'VECTOR',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint buckets_vectors_pkey primary key (id)
);

create table storage.vector_indexes (
    id text not null default gen_random_uuid(),
    name text collate "C" not null,
    bucket_id text not null,
    data_type text not null,
    dimension integer not null,
    distance_metric text not null,
    metadata_configuration jsonb,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint vector_indexes_pkey primary key (id),
    constraint vector_indexes_bucket_id_fkey
    foreign key (bucket_id) references storage.buckets_vectors (id)
);
create unique index vector_indexes_name_bucket_id_idx
on storage.vector_indexes (name, bucket_id);

alter table storage.migrations enable row level security;
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
alter table storage.s3_multipart_uploads enable row level security;
alter table storage.s3_multipart_uploads_parts enable row level security;
alter table storage.buckets_analytics enable row level security;
alter table storage.buckets_vectors enable row level security;
alter table storage.vector_indexes enable row level security;

-- row-level security decides; without a policy the API roles see and change nothing
grant all on table storage.buckets, storage.objects, storage.buckets_analytics
to postgres, anon, authenticated, service_role;
grant all on table storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts,
storage.buckets_vectors, storage.vector_indexes to postgres, service_role;
grant select on table storage.s3_multipart_uploads, storage.s3_multipart_uploads_parts,
storage.buckets_vectors, storage.vector_indexes to anon, authenticated;

-- Helpers for policies --------------------------------------------------------------------------

create function storage.foldername(name text) returns text[] language sql immutable as $$
    select (string_to_array(name, '/'))[
        1:coalesce(array_length(string_to_array(name, '/'), 1), 0) - 1
    ]
$$;
comment on function storage.foldername is 'The folders of an object''s name, outermost first.';

create function storage.filename(name text) returns text language sql immutable as $$
    select (string_to_array(name, '/'))[array_length(string_to_array(name, '/'), 1)]
$$;

create function storage.extension(name text) returns text language sql immutable as $$
    select reverse(split_part(reverse(storage.filename(name)), '.', 1))
$$;

create function storage.operation() returns text language sql stable as $$
    select current_setting('storage.operation', true)
$$;
comment on function storage.operation is 'What the Storage API is doing, like storage.object.list.';

create function storage.allow_any_operation(expected_operations text[]) returns boolean
language sql stable as $$
    select exists (
        select from unnest(expected_operations) as expected (operation)
        where nullif(expected.operation, '') is not null
        and regexp_replace(expected.operation, '^storage\.', '')
            = regexp_replace(nullif(storage.operation(), ''), '^storage\.', '')
    )
$$;

create function storage.allow_only_operation(expected_operation text) returns boolean
language sql stable as $$
    select storage.allow_any_operation(array[expected_operation])
$$;

create function storage.get_size_by_bucket() returns table (size bigint, bucket_id text)
language sql stable as $$
    select sum((o.metadata ->> 'size')::bigint)::bigint, o.bucket_id
    from storage.objects as o
    group by o.bucket_id
$$;

create function storage.can_insert_object(
    bucketid text, name text, owner uuid, metadata jsonb
) returns void language plpgsql as $$
begin
    insert into storage.objects (bucket_id, name, owner, metadata)
    values (bucketid, name, owner, metadata);
    -- the insert was only a question: PT200 undoes it and is answered as a success
    raise sqlstate 'PT200' using message = 'ROLLBACK', detail = 'rollback successful insert';
end;
$$;

-- Triggers --------------------------------------------------------------------------------------

create function storage.update_updated_at_column() returns trigger language plpgsql as $$
begin
    new.updated_at = now();
    return new;
end;
$$;
create trigger update_objects_updated_at before update on storage.objects
for each row execute function storage.update_updated_at_column();

create function storage.enforce_bucket_name_length() returns trigger language plpgsql as $$
begin
    if length(new.name) > 100 then
        raise exception 'bucket name "%" is too long (% characters). Max is 100.',
            new.name, length(new.name);
    end if;
    return new;
end;
$$;
create trigger enforce_bucket_name_length_trigger
before insert or update of name on storage.buckets
for each row execute function storage.enforce_bucket_name_length();

-- A row deleted by plain SQL would leave its file behind.
create function storage.protect_delete() returns trigger language plpgsql as $$
begin
    if coalesce(current_setting('storage.allow_delete_query', true), 'false') <> 'true' then
        raise exception
            'Direct deletion from storage tables is not allowed. Use the Storage API instead.'
            using errcode = '42501',
            hint = 'This prevents accidental data loss from orphaned objects.';
    end if;
    return null;
end;
$$;
create trigger protect_buckets_delete before delete on storage.buckets
for each statement execute function storage.protect_delete();
create trigger protect_objects_delete before delete on storage.objects
for each statement execute function storage.protect_delete();

-- Listing ---------------------------------------------------------------------------------------

create function storage.get_common_prefix(p_key text, p_prefix text, p_delimiter text)
returns text language sql immutable as $$
    select case
        when position(p_delimiter in substr(p_key, length(p_prefix) + 1)) > 0
        then left(
            p_key,
            length(p_prefix) + length(p_delimiter) - 1
            + position(p_delimiter in substr(p_key, length(p_prefix) + 1))
        )
    end
$$;
comment on function storage.get_common_prefix is
'The folder right below the prefix that a key lies in, with its delimiter; null for a file.';

-- Names are visited in byte order by index look-ups, each skipping a whole folder at once. The
-- highest code point closes a range of names that share a prefix.
create function storage.list_objects_with_delimiter(
    _bucket_id text,
    prefix_param text,
    delimiter_param text,
    max_keys integer default 100,
    start_after text default '',
    next_token text default '',
    sort_order text default 'asc'
) returns table (
    name text,
    id uuid,
    metadata jsonb,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz
) language plpgsql stable as $$
declare
    v_prefix text := coalesce(prefix_param, '');
    v_after text := coalesce(nullif(next_token, ''), start_after, '');
    v_is_descending boolean := lower(coalesce(sort_order, 'asc')) = 'desc';
    v_seek text;
    v_is_exclusive boolean := false;
    v_object storage.objects;
    v_folder text;
begin
    if v_is_descending then
        v_seek := coalesce(nullif(v_after, ''), v_prefix || chr(1114111));
    elsif v_after = '' then
        v_seek := v_prefix;
    elsif right(v_after, length(delimiter_param)) = delimiter_param and v_after <> v_prefix then
        v_seek := left(v_after, -1) || chr(ascii(right(v_after, 1)) + 1);
    else
        v_seek := v_after;
        v_is_exclusive := true;
    end if;
    for v_count in 1 .. max_keys loop
        if v_is_descending then
            select o.* into v_object from storage.objects as o
            where o.bucket_id = _bucket_id and o.name collate "C" < v_seek
            and o.name collate "C" >= v_prefix
            order by o.name collate "C" desc limit 1;
        elsif v_is_exclusive then
            select o.* into v_object from storage.objects as o
            where o.bucket_id = _bucket_id and o.name collate "C" > v_seek
            and o.name collate "C" < v_prefix || chr(1114111)
            order by o.name collate "C" limit 1;
        else
            select o.* into v_object from storage.objects as o
            where o.bucket_id = _bucket_id and o.name collate "C" >= v_seek
            and o.name collate "C" < v_prefix || chr(1114111)
            order by o.name collate "C" limit 1;
        end if;
        exit when not found;
        v_folder := storage.get_common_prefix(v_object.name, v_prefix, delimiter_param);
        if v_folder is null then
            name := v_object.name;
            id := v_object.id;
            metadata := v_object.metadata;
            updated_at := v_object.updated_at;
            created_at := v_object.created_at;
            last_accessed_at := v_object.last_accessed_at;
            v_seek := v_object.name;
            v_is_exclusive := true;
        else
            name := v_folder;
            id := null;
            metadata := null;
            updated_at := null;
            created_at := null;
            last_accessed_at := null;
            v_is_exclusive := false;
            v_seek := case
                when v_is_descending then v_folder
                else left(v_folder, -1) || chr(ascii(right(v_folder, 1)) + 1)
            end;
        end if;
        return next;
    end loop;
end;
$$;

-- One page below a prefix. By name it walks the index; by time it sorts all that lies below, a
-- folder standing at the time of its first object. `start_after` is the last name of the page
-- before, `sort_column_after` its time.
create function storage.search_v2(
    prefix text,
    bucket_name text,
    limits integer default 100,
    levels integer default 1,
    start_after text default '',
    sort_order text default 'asc',
    sort_column text default 'name',
    sort_column_after text default ''
) returns table (
    key text,
    name text,
    id uuid,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz,
    metadata jsonb
) language plpgsql stable as $$
declare
    v_is_descending boolean := lower(coalesce(sort_order, 'asc')) = 'desc';
    v_is_created boolean := lower(coalesce(sort_column, 'name')) = 'created_at';
    v_direction text := case when v_is_descending then 'desc' else 'asc' end;
begin
    if not v_is_created and lower(coalesce(sort_column, 'name')) <> 'updated_at' then
        return query
        select split_part(l.name, '/', levels), l.name, l.id, l.updated_at, l.created_at,
            l.last_accessed_at, l.metadata
        from storage.list_objects_with_delimiter(
            bucket_name, prefix, '/', limits, start_after, '', v_direction
        ) as l;
        return;
    end if;
    return query execute format(
        $query$
        with entries as (
            select storage.get_common_prefix(o.name, $1, '/') as folder, o.*
            from storage.objects as o
            where o.bucket_id = $2 and o.name collate "C" >= $1
            and o.name collate "C" < $1 || chr(1114111)
        ), listed as (
            select e.name, e.id, e.updated_at, e.created_at, e.last_accessed_at, e.metadata,
                e.%1$I as moment
            from entries as e where e.folder is null
            union all
            select e.folder, null, min(e.created_at), min(e.created_at), null, null,
                min(e.created_at)
            from entries as e where e.folder is not null group by e.folder
        )
        select split_part(l.name, '/', $3), l.name, l.id, l.updated_at, l.created_at,
            l.last_accessed_at, l.metadata
        from listed as l
        where $4 = '' or (l.moment, l.name collate "C") %2$s ($5::timestamptz, $4)
        order by l.moment %3$s, l.name collate "C" %3$s
        limit $6
        $query$,
        case when v_is_created then 'created_at' else 'updated_at' end,
        case when v_is_descending then '<' else '>' end,
        v_direction
    ) using coalesce(prefix, ''), bucket_name, levels, coalesce(start_after, ''),
        coalesce(nullif(sort_column_after, ''), '-infinity'), limits;
end;
$$;

-- The older listing: names relative to the folder, without regard to case, by offset.
create function storage.search(
    prefix text,
    bucketname text,
    limits integer default 100,
    levels integer default 1,
    offsets integer default 0,
    search text default '',
    sortcolumn text default 'name',
    sortorder text default 'asc'
) returns table (
    name text,
    id uuid,
    updated_at timestamptz,
    created_at timestamptz,
    last_accessed_at timestamptz,
    metadata jsonb
) language plpgsql stable as $$
declare
    v_start text := lower(coalesce(prefix, '') || coalesce(search, ''));
    v_direction text := case when lower(coalesce(sortorder, 'asc')) = 'desc' then 'desc'
        else 'asc' end;
    v_column text := lower(coalesce(sortcolumn, 'name'));
begin
    if v_column not in ('updated_at', 'created_at', 'last_accessed_at') then
        v_column := 'name';
    end if;
    return query execute format(
        $query$
        with entries as (
            select o.path_tokens[$1] as token, array_length(o.path_tokens, 1) = $1 as is_file, o.*
            from storage.objects as o
            where o.bucket_id = $2 and lower(o.name) collate "C" >= $3
            and lower(o.name) collate "C" < $3 || chr(1114111)
            and array_length(o.path_tokens, 1) >= $1
        ), listed as (
            select e.token as name, e.id, e.updated_at, e.created_at, e.last_accessed_at,
                e.metadata
            from entries as e where e.is_file
            union all
            select distinct e.token, null::uuid, null::timestamptz, null::timestamptz,
                null::timestamptz, null::jsonb
            from entries as e where not e.is_file
        )
        select l.* from listed as l order by %s limit $4 offset $5
        $query$,
        case v_column
            when 'name' then format(
                'lower(l.name) collate "C" %1$s, l.name collate "C" %1$s, l.id nulls first',
                v_direction
            )
            else format(
                '(l.id is not null), l.%1$I %2$s, l.name collate "C" %2$s', v_column, v_direction
            )
        end
    ) using coalesce(levels, 1), bucketname, v_start, least(coalesce(limits, 100), 1500),
        coalesce(offsets, 0);
end;
$$;

reset role;
