select private.close(
    tables => array['public.referral_codes', 'public.referrals']::regclass[],
    functions => array[
        'public.get_referral_code', 'private.get_referral_code',
        'public.claim_referral', 'private.claim_referral'
    ]::regproc[]
);

-- Codes: an agent sees their own; operators all.
create policy select_own on public.referral_codes for select to authenticated
using (agent_id = (select auth.uid()) or (select private.is_operator()));
grant select on table public.referral_codes to authenticated, service_role;

-- Referrals: both sides see them; operators all.
create policy select_own on public.referrals for select to authenticated
using ((select auth.uid()) in (agent_id, referred_id) or (select private.is_operator()));
grant select on table public.referrals to authenticated, service_role;

grant execute on function
public.get_referral_code, private.get_referral_code,
public.claim_referral, private.claim_referral
to authenticated;
