-- Who brought whom: an agent's codes, and the one referral that counts.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('agents.agent_required', 403, 'Only an agent may do this.'),
('agents.code_not_found', 404, 'There is no such referral code.'),
('agents.own_code', 409, 'Nobody refers themselves.'),
('agents.already_referred', 409, 'Somebody else brought this person before.'),
('agents.window_closed', 409, 'A referral counts in the first 30 days after sign-up.');

create table public.referral_codes (
    code text not null,
    agent_id uuid not null,
    created_at timestamptz not null default now(),
    constraint referral_codes_pkey primary key (code),
    constraint referral_codes_agent_id_key unique (agent_id),
    constraint referral_codes_agent_id_fkey foreign key (agent_id)
    references public.profiles on delete cascade,
    constraint referral_codes_code_check check (code ~ '^[A-Z2-9]{8}$')
);
alter table public.referral_codes enable row level security;
comment on table public.referral_codes is 'What an agent hands out: one code each.';

create table public.referrals (
    referred_id uuid not null,
    agent_id uuid not null,
    created_at timestamptz not null default now(),
    constraint referrals_pkey primary key (referred_id),
    constraint referrals_referred_id_fkey foreign key (referred_id)
    references public.profiles on delete restrict,
    constraint referrals_agent_id_fkey foreign key (agent_id)
    references public.profiles on delete restrict,
    constraint referrals_self_check check (agent_id <> referred_id)
);
alter table public.referrals enable row level security;
create index referrals_agent_id_created_at_idx on public.referrals (agent_id, created_at);
comment on table public.referrals is
'Which agent brought a person: the first valid claim, for good. Append-only.';
create trigger t10_refuse_change before update or delete or truncate on public.referrals
for each statement execute function private.refuse_change();

create function private.get_referral_code() returns text
language plpgsql security definer set search_path = '' as $$
declare
    v_agent uuid := private.require_active();
    v_code text;
begin
    if not private.has_role('agent') then
        perform private.reject('agents.agent_required');
    end if;
    loop
        select known.code into v_code from public.referral_codes as known
        where known.agent_id = v_agent;
        if found then
            return v_code;
        end if;
        -- 5 bits of a random uuid per letter, none that reads like another
        select string_agg(
            substr('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', 1 + get_byte(drawn.bytes, place) % 32, 1), ''
        ) into v_code
        from (select sha256(uuid_send(gen_random_uuid())) as bytes) as drawn,
            generate_series(0, 7) as place;
        insert into public.referral_codes (code, agent_id) values (v_code, v_agent)
        on conflict do nothing;
    end loop;
end;
$$;
create function public.get_referral_code() returns text
language sql set search_path = '' as $$ select private.get_referral_code() $$;
comment on function public.get_referral_code is
$$The caller's own code as an agent, made at the first call.

Errors: agents.agent_required (403), identity.not_active (403).$$;

create function private.claim_referral(code text) returns public.referrals
language plpgsql security definer set search_path = '' as $$
declare
    v_referred uuid := private.require_active();
    v_agent uuid;
    v_referral public.referrals;
begin
    select known.agent_id into v_agent
    from public.referral_codes as known
    inner join public.profiles as agent on known.agent_id = agent.id
    inner join public.role_assignments as held
        on known.agent_id = held.user_id and held.role = 'agent'
    where known.code = upper(btrim(claim_referral.code))
        and agent.deleted_at is null and not private.is_suspended(agent.id);
    if not found then
        perform private.reject('agents.code_not_found', 'code');
    end if;
    if v_agent = v_referred then
        perform private.reject('agents.own_code');
    end if;
    select known.* into v_referral from public.referrals as known
    where known.referred_id = v_referred;
    if not found then
        if exists (
            select from public.profiles as person
            where person.id = v_referred and person.created_at < now() - interval '30 days'
        ) then
            perform private.reject('agents.window_closed');
        end if;
        insert into public.referrals (referred_id, agent_id) values (v_referred, v_agent)
        on conflict on constraint referrals_pkey do nothing;
        select known.* into strict v_referral from public.referrals as known
        where known.referred_id = v_referred;
    end if;
    if v_referral.agent_id <> v_agent then
        perform private.reject('agents.already_referred');
    end if;
    return v_referral;
end;
$$;
create function public.claim_referral(code text) returns public.referrals
language sql set search_path = '' as $$ select private.claim_referral(code) $$;
comment on function public.claim_referral is
$$Say which agent brought the caller; the first valid claim stands. Safe to repeat.

Counts for what is opened afterwards.
Errors: agents.code_not_found (404), agents.own_code (409), agents.already_referred (409),
agents.window_closed (409), identity.not_active (403).
Source: Source Impact, commission distribution.$$;
