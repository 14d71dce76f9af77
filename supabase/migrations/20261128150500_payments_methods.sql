-- What a payer may pay with again: the provider's references and a masked label, nothing else.
set lock_timeout = '5s';

insert into private.error_codes (code, http_status, message) values
('payments.method_not_found', 404, 'There is no such saved payment method.');

create table public.payment_methods (
    id uuid not null default gen_random_uuid(),
    owner_id uuid not null,
    provider text not null,
    reference text not null,
    kind text not null,
    label text not null,
    expires_on date,
    is_default boolean not null default false,
    created_at timestamptz not null default now(),
    constraint payment_methods_pkey primary key (id),
    constraint payment_methods_owner_id_fkey foreign key (owner_id)
    references public.profiles on delete cascade,
    constraint payment_methods_provider_fkey foreign key (provider)
    references private.providers on delete cascade,
    constraint payment_methods_provider_reference_key unique (provider, reference),
    constraint payment_methods_kind_check check (kind ~ '^[a-z0-9_]{1,40}$'),
    -- a card number has thirteen digits and more: none ever stands here
    constraint payment_methods_label_check
    check (char_length(label) between 1 and 60 and label !~ '([0-9][ -]?){7}')
);
alter table public.payment_methods enable row level security;
create index payment_methods_owner_id_idx on public.payment_methods (owner_id);
create unique index payment_methods_owner_id_default_key on public.payment_methods (owner_id)
where is_default;
comment on table public.payment_methods is
$$What a payer saved at a provider, by reference: `visa 4242`. No number of a card or account.

Source: Creator Campaign Pro, payment methods.$$;
comment on column public.payment_methods.expires_on is 'The last day on which it can be used.';

create function private.know_customer(owner_id uuid, provider text, reference text) returns text
language plpgsql security definer set search_path = '' as $$
declare
    v_reference text;
begin
    insert into private.provider_customers (owner_id, provider, reference)
    values (know_customer.owner_id, know_customer.provider, know_customer.reference)
    on conflict do nothing;
    select known.reference into strict v_reference from private.provider_customers as known
    where known.owner_id = know_customer.owner_id and known.provider = know_customer.provider;
    return v_reference;
end;
$$;
comment on function private.know_customer is
'Keep who a payer is at a provider; the first one stays.';

create function private.list_customers(owner_id uuid)
returns table (provider text, reference text)
language sql stable security definer set search_path = '' as $$
    select known.provider, known.reference from private.provider_customers as known
    where known.owner_id = list_customers.owner_id
$$;
comment on function private.list_customers is 'Who a payer is at each provider.';

create function private.keep_payment_methods(owner_id uuid, provider text, methods jsonb)
returns void
language plpgsql security definer set search_path = '' as $$
begin
    delete from public.payment_methods as gone
    where gone.owner_id = keep_payment_methods.owner_id
        and gone.provider = keep_payment_methods.provider
        and gone.reference not in (
            select told.reference from jsonb_to_recordset(methods) as told (reference text)
        );
    insert into public.payment_methods as known
        (owner_id, provider, reference, kind, label, expires_on)
    select
        keep_payment_methods.owner_id, keep_payment_methods.provider, told.reference, told.kind,
        told.label, told.expires_on
    from jsonb_to_recordset(methods)
        as told (reference text, kind text, label text, expires_on date)
    on conflict on constraint payment_methods_provider_reference_key do update
    set label = excluded.label, expires_on = excluded.expires_on
    where known.owner_id = excluded.owner_id;
end;
$$;
comment on function private.keep_payment_methods is
'What a provider says a payer has saved there: exactly these are known from now on.';

create function private.forget_payment_method(method_id uuid) returns void
language sql security definer set search_path = '' as $$
    delete from public.payment_methods as gone where gone.id = forget_payment_method.method_id
$$;
comment on function private.forget_payment_method is 'The provider forgot it, so do we.';

create function private.set_default_payment_method(method_id uuid)
returns public.payment_methods
language plpgsql security definer set search_path = '' as $$
declare
    v_me uuid := private.require_active();
    v_method public.payment_methods;
begin
    perform from public.payment_methods as mine where mine.owner_id = v_me
    order by mine.id
    for update;
    if not exists (
        select from public.payment_methods as mine
        where mine.id = set_default_payment_method.method_id and mine.owner_id = v_me
    ) then
        perform private.reject('payments.method_not_found', method_id::text);
    end if;
    update public.payment_methods as mine set is_default = false
    where mine.owner_id = v_me and mine.is_default
        and mine.id <> set_default_payment_method.method_id;
    update public.payment_methods as mine set is_default = true
    where mine.id = set_default_payment_method.method_id
    returning mine.* into v_method;
    return v_method;
end;
$$;
create function public.set_default_payment_method(method_id uuid) returns public.payment_methods
language sql set search_path = '' as $$ select private.set_default_payment_method(method_id) $$;
comment on function public.set_default_payment_method is
$$Pay with this by default. Safe to repeat.

Errors: payments.method_not_found (404), identity.not_active (403).$$;

-- Who they are at a provider is kept: late refunds, payment disputes and invoices name it.
create function private.forget_methods() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    delete from public.payment_methods as gone where gone.owner_id = new.id;
    if exists (
        select from private.provider_customers as known where known.owner_id = new.id
    ) then
        perform private.enqueue(
            'payments.forget_methods', jsonb_build_object('subject_id', new.id)
        );
    end if;
    return null;
end;
$$;
comment on function private.forget_methods is
'Trigger: what a deleted person had saved to pay with goes; at the providers as well, by a job.';
create trigger t50_forget_methods after update of deleted_at on public.profiles
for each row when (old.deleted_at is null and new.deleted_at is not null)
execute function private.forget_methods();
