// supabase-js signs people up, in, on and out, as its documentation says.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { createClient } from '@supabase/supabase-js'

const url = process.env.SUPABASE_URL
const PASSWORD = 'correct horse battery'
// of PASSWORD, at the lowest cost
const CHEAP_HASH = '$2b$04$vas5unzZt1hRSaO8lVZbVu3xT2aqmLqUsD3BrbplnDTQp3zmF91Ei'
const APP = 'https://app.example.com/welcome'
const newEmail = () => `js-${randomUUID()}@example.com`

function client(options = {}, key = process.env.SUPABASE_PUBLISHABLE_KEY) {
  const auth = { autoRefreshToken: false, persistSession: false, ...options }
  return createClient(url, key, { auth })
}

function memory() {
  const kept = new Map()
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  }
}

const admin = client({}, process.env.SUPABASE_SECRET_KEY).auth.admin

async function mailTo(email) {
  const found = await (await fetch(`${url}/inbox/messages?to=${encodeURIComponent(email)}`)).json()
  assert.notEqual(found.length, 0, `no mail to ${email}`)
  return (await fetch(`${url}/inbox/messages/${found[0].id}`)).json()
}

async function follow(link) {
  return new URL((await fetch(link, { redirect: 'manual' })).headers.get('location'))
}

async function person() {
  const email = newEmail()
  const attributes = { email, password_hash: CHEAP_HASH, email_confirm: true }
  const { data, error } = await admin.createUser(attributes)
  assert.equal(error, null)
  return data.user
}

function good({ data, error }) {
  assert.equal(error, null)
  return data
}

describe('sign-up', () => {
  test('with confirmation, by code', async () => {
    const email = newEmail()
    const supabase = client()
    const { user, session } = good(
      await supabase.auth.signUp({ email, password: PASSWORD, options: { data: { name: 'Ada' } } }),
    )
    assert.equal(session, null)
    assert.equal(user.user_metadata.name, 'Ada')
    assert.equal(user.identities.length, 1)
    const early = await supabase.auth.signInWithPassword({ email, password: PASSWORD })
    assert.equal(early.error.code, 'email_not_confirmed')
    const [token] = (await mailTo(email)).codes
    const verified = good(await supabase.auth.verifyOtp({ email, token, type: 'email' }))
    assert.equal(verified.session.user.email, email)
    assert.ok(verified.session.user.email_confirmed_at)
  })

  test('of a registered address looks like any other', async () => {
    const { email } = await person()
    const { user, session } = good(await client().auth.signUp({ email, password: PASSWORD }))
    assert.equal(session, null)
    assert.deepEqual(user.identities, [])
  })

  test('with a weak password names the reason', async () => {
    const { error } = await client().auth.signUp({ email: newEmail(), password: '123' })
    assert.equal(error.name, 'AuthWeakPasswordError')
    assert.deepEqual(error.reasons, ['length'])
    assert.equal(error.status, 422)
  })

  test('with PKCE, by link, in one browser', async () => {
    const email = newEmail()
    const supabase = client({ flowType: 'pkce', persistSession: true, storage: memory() })
    good(await supabase.auth.signUp({ email, password: PASSWORD, options: { emailRedirectTo: APP } }))
    const back = await follow((await mailTo(email)).links[0])
    assert.equal(back.origin + back.pathname, APP)
    const code = back.searchParams.get('code')
    const elsewhere = client({ flowType: 'pkce', persistSession: true, storage: memory() })
    assert.ok((await elsewhere.auth.exchangeCodeForSession(code)).error)
    const { session } = good(await supabase.auth.exchangeCodeForSession(code))
    assert.equal(session.user.email, email)
  })

  test('anonymously, and becoming a member', async () => {
    const supabase = client()
    const { user } = good(await supabase.auth.signInAnonymously({ options: { data: { a: 1 } } }))
    assert.equal(user.is_anonymous, true)
    const email = newEmail()
    good(await supabase.auth.updateUser({ email }))
    const [token] = (await mailTo(email)).codes
    const { user: member } = good(
      await supabase.auth.verifyOtp({ email, token, type: 'email_change' }),
    )
    assert.equal(member.id, user.id)
    assert.equal(member.is_anonymous, false)
    good(await supabase.auth.updateUser({ password: PASSWORD }))
    good(await client().auth.signInWithPassword({ email, password: PASSWORD }))
  })
})

describe('sign-in', () => {
  test('by password, with claims that verify against the JWKS', async () => {
    const { id, email } = await person()
    const supabase = client()
    good(await supabase.auth.signInWithPassword({ email, password: PASSWORD }))
    const { claims, header } = good(await supabase.auth.getClaims())
    assert.equal(header.alg, 'ES256')
    assert.equal(claims.sub, id)
    assert.equal(claims.aal, 'aal1')
    assert.equal(claims.amr[0].method, 'password')
    const level = good(await supabase.auth.mfa.getAuthenticatorAssuranceLevel())
    assert.equal(level.currentLevel, 'aal1')
    assert.equal(good(await supabase.auth.getUser()).user.id, id)
  })

  test('by a wrong password is refused', async () => {
    const { email } = await person()
    const { data, error } = await client().auth.signInWithPassword({ email, password: 'wrong' })
    assert.equal(data.session, null)
    assert.equal(error.code, 'invalid_credentials')
    assert.equal(error.message, 'Invalid login credentials')
    assert.equal(error.status, 400)
  })

  test('by magic link, implicitly', async () => {
    const { email } = await person()
    good(await client().auth.signInWithOtp({ email, options: { emailRedirectTo: APP } }))
    const back = await follow((await mailTo(email)).links[0])
    const told = new URLSearchParams(back.hash.slice(1))
    const supabase = client()
    const { user } = good(
      await supabase.auth.setSession({
        access_token: told.get('access_token'),
        refresh_token: told.get('refresh_token'),
      }),
    )
    assert.equal(user.email, email)
  })

  test('by magic link of a stranger only if allowed', async () => {
    const email = newEmail()
    const options = { shouldCreateUser: false }
    const refused = await client().auth.signInWithOtp({ email, options })
    assert.equal(refused.error.code, 'otp_disabled')
    good(await client().auth.signInWithOtp({ email }))
    const [token] = (await mailTo(email)).codes
    good(await client().auth.verifyOtp({ email, token, type: 'email' }))
  })

  test('by recovery link, to a new password', async () => {
    const { email } = await person()
    const supabase = client({ flowType: 'pkce', persistSession: true, storage: memory() })
    good(await supabase.auth.resetPasswordForEmail(email, { redirectTo: APP }))
    const back = await follow((await mailTo(email)).links[0])
    const events = []
    supabase.auth.onAuthStateChange((event) => void events.push(event))
    good(await supabase.auth.exchangeCodeForSession(back.searchParams.get('code')))
    good(await supabase.auth.updateUser({ password: 'a new password' }))
    assert.ok(events.includes('PASSWORD_RECOVERY'))
    good(await client().auth.signInWithPassword({ email, password: 'a new password' }))
  })
})

describe('sessions', () => {
  test('are refreshed, twice', async () => {
    const { email } = await person()
    const supabase = client()
    const first = good(await supabase.auth.signInWithPassword({ email, password: PASSWORD })).session
    const second = good(await supabase.auth.refreshSession()).session
    const third = good(await supabase.auth.refreshSession()).session
    assert.equal(new Set([first, second, third].map((one) => one.refresh_token)).size, 3)
  })

  test('end where the scope says', async () => {
    const { email } = await person()
    const [here, there] = [client(), client()]
    for (const one of [here, there]) {
      good(await one.auth.signInWithPassword({ email, password: PASSWORD }))
    }
    assert.equal((await here.auth.signOut({ scope: 'others' })).error, null)
    assert.equal((await here.auth.getUser()).error, null)
    const { error } = await there.auth.getUser()
    assert.equal(error.name, 'AuthSessionMissingError')
  })

  test('carry the user into the Data API', async () => {
    const { id, email } = await person()
    const supabase = client()
    good(await supabase.auth.signInWithPassword({ email, password: PASSWORD }))
    assert.equal(good(await supabase.rpc('auth_whoami')), id)
  })
})

describe('the account', () => {
  test('changes metadata, address and password', async () => {
    const { email } = await person()
    const supabase = client()
    good(await supabase.auth.signInWithPassword({ email, password: PASSWORD }))
    good(await supabase.auth.updateUser({ data: { name: 'Ada', gone: 1 } }))
    const changed = good(await supabase.auth.updateUser({ data: { gone: null } })).user
    assert.equal(changed.user_metadata.name, 'Ada')
    assert.ok(!('gone' in changed.user_metadata))
    const same = await supabase.auth.updateUser({ password: PASSWORD })
    assert.equal(same.error.code, 'same_password')
    const asked = good(await supabase.auth.updateUser({ email: newEmail() })).user
    assert.ok(asked.new_email)
    good(await supabase.auth.resend({ type: 'email_change', email }))
    good(await supabase.auth.reauthenticate())
    assert.equal((await mailTo(email)).codes.length, 1)
    assert.equal(good(await supabase.auth.getUserIdentities()).identities.length, 1)
  })
})

describe('the admin API', () => {
  test('lists pages', async () => {
    await person()
    await person()
    const page = good(await admin.listUsers({ page: 1, perPage: 1 }))
    assert.equal(page.users.length, 1)
    assert.equal(page.nextPage, 2)
    assert.ok(page.total >= 2)
    assert.equal(page.aud, 'authenticated')
  })

  test('makes, changes, bans, removes', async () => {
    const user = await person()
    const changed = good(
      await admin.updateUserById(user.id, { app_metadata: { plan: 'pro' }, ban_duration: '1h' }),
    ).user
    assert.equal(changed.app_metadata.plan, 'pro')
    const banned = await client().auth.signInWithPassword({ email: user.email, password: PASSWORD })
    assert.equal(banned.error.code, 'user_banned')
    good(await admin.deleteUser(user.id))
    assert.equal((await admin.getUserById(user.id)).error.code, 'user_not_found')
  })

  test('invites and makes links', async () => {
    const email = newEmail()
    const invited = good(await admin.inviteUserByEmail(email, { redirectTo: APP, data: { a: 1 } }))
    assert.ok(invited.user.invited_at)
    const back = await follow((await mailTo(email)).links[0])
    assert.ok(back.hash.includes('access_token='))
    const { properties, user } = good(
      await admin.generateLink({ type: 'magiclink', email, options: { redirectTo: APP } }),
    )
    assert.equal(user.email, email)
    assert.match(properties.action_link, /type=magiclink&redirect_to=https:\/\/app\.example\.com/)
    good(
      await client().auth.verifyOtp({ token_hash: properties.hashed_token, type: 'magiclink' }),
    )
  })

  test('signs a user out', async () => {
    const { email } = await person()
    const supabase = client()
    const { session } = good(
      await supabase.auth.signInWithPassword({ email, password: PASSWORD }),
    )
    assert.equal((await admin.signOut(session.access_token)).error, null)
    assert.ok((await supabase.auth.getUser()).error)
  })

  test('is shut without the secret key', async () => {
    assert.equal((await client().auth.admin.listUsers()).error.code, 'not_admin')
  })
})
