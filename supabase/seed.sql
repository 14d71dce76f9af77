-- Demo people, for machines without real ones; nothing depends on them. Safe to run again.
-- Their passwords stand in demo.json, for all to read: never seed a project that others can reach.
-- Where anybody else has signed up, none are made.

with wanted (id, email, password, display_name, role) as (
    values
    (
        'd0000000-0000-4000-8000-000000000001'::uuid,
        'sofia@example.com', 'sofia-pays-for-tea', 'Sofia', 'sponsor'
    ),
    (
        'd0000000-0000-4000-8000-000000000002'::uuid,
        'chidi@example.com', 'chidi-films-the-tea', 'Chidi', 'creator'
    ),
    (
        'd0000000-0000-4000-8000-000000000003'::uuid,
        'amara@example.com', 'amara-knows-them-both', 'Amara', 'agent'
    ),
    (
        'd0000000-0000-4000-8000-000000000004'::uuid,
        'mateo@example.com', 'mateo-keeps-the-peace', 'Mateo', 'moderator'
    ),
    (
        'd0000000-0000-4000-8000-000000000005'::uuid,
        'ingrid@example.com', 'ingrid-minds-the-house', 'Ingrid', 'admin'
    )
),

made as (
    insert into auth.users (
        id, instance_id, aud, role, email, encrypted_password, email_confirmed_at,
        raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
        -- Auth reads these as text and stumbles over null
        confirmation_token, recovery_token, email_change, email_change_token_new
    )
    select
        wanted.id,
        '00000000-0000-0000-0000-000000000000',
        'authenticated',
        'authenticated',
        wanted.email,
        extensions.crypt(wanted.password, extensions.gen_salt('bf', 10)),
        now(),
        '{"provider": "email", "providers": ["email"]}',
        jsonb_build_object('display_name', wanted.display_name, 'role', wanted.role),
        now(),
        now(),
        '',
        '',
        '',
        ''
    from wanted
    where
        not exists (
            select from auth.users as other
            where other.id not in (select demo.id from wanted as demo)
        )
    on conflict do nothing
    returning id, email
)

insert into auth.identities (
    user_id, provider_id, provider, identity_data, last_sign_in_at, created_at, updated_at
)
select
    made.id,
    made.id::text,
    'email',
    jsonb_build_object('sub', made.id, 'email', made.email, 'email_verified', true),
    now(),
    now(),
    now()
from made;

-- Sign-up gave the roles that people may choose; these two are given by the owner's hand.
insert into public.role_assignments (user_id, role)
select
    given.user_id,
    given.role
from (
    values
    ('d0000000-0000-4000-8000-000000000004'::uuid, 'moderator'),
    ('d0000000-0000-4000-8000-000000000005'::uuid, 'admin')
) as given (user_id, role)
inner join public.profiles as person on given.user_id = person.id
where person.deleted_at is null
on conflict do nothing;

update public.profiles as person
set handle = shown.handle, bio = shown.bio, visibility = 'public'
from (
    values
    (
        'd0000000-0000-4000-8000-000000000001'::uuid,
        'sofia', 'Sells tea, and pays for good films about it.'
    ),
    (
        'd0000000-0000-4000-8000-000000000002'::uuid,
        'chidi', 'Films what steams: tea, coffee, locomotives.'
    ),
    (
        'd0000000-0000-4000-8000-000000000003'::uuid,
        'amara', 'Brings together who should have met long ago.'
    )
) as shown (id, handle, bio)
where person.id = shown.id and person.handle is null and person.deleted_at is null;
