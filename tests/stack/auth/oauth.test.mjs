// supabase-js signs in with providers, links accounts and unlinks them.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, PROVIDERS_URL } = process.env
const redirectTo = 'https://app.example.com/welcome'

function client(flowType = 'pkce') {
  const kept = new Map()
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  }
  return createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
    auth: { flowType, storage, autoRefreshToken: false, detectSessionInUrl: false },
  }).auth
}

async function person(facts = {}) {
  const body = JSON.stringify({ email: `${randomUUID()}@example.com`, ...facts })
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${PROVIDERS_URL}/people`, { method: 'POST', body, headers })).json()
}

async function location(url) {
  const answer = await fetch(url, { redirect: 'manual' })
  assert.equal(answer.status, 302, await answer.text())
  return answer.headers.get('location')
}

// the browser's way: our redirect, the provider's page as `who`, our callback
async function follow(url, who, isAtProvider = false) {
  const page = new URL(isAtProvider ? url : await location(url))
  page.searchParams.set('login_hint', who.hint)
  return new URL(await location(await location(page)))
}

before(async () => {
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(`${PROVIDERS_URL}/google/keys`).catch(() => null)) return
    await sleep(100)
  }
})

for (const provider of ['google', 'github', 'twitter', 'x']) {
  test(`${provider}, with PKCE`, async () => {
    const auth = client()
    const who = await person()
    const { data } = await auth.signInWithOAuth({ provider, options: { redirectTo } })
    const landed = await follow(data.url, who)
    assert.equal(landed.origin + landed.pathname, redirectTo)
    const done = await auth.exchangeCodeForSession(landed.searchParams.get('code'))
    assert.equal(done.error, null)
    assert.equal(done.data.user.email, who.email)
    assert.ok(done.data.session.provider_token)
    const stolen = await client().exchangeCodeForSession(landed.searchParams.get('code'))
    assert.notEqual(stolen.error, null)
  })
}

test('implicit flow', async () => {
  const auth = client('implicit')
  const who = await person()
  const { data } = await auth.signInWithOAuth({
    provider: 'google',
    options: { redirectTo, scopes: 'calendar', queryParams: { access_type: 'offline' } },
  })
  const page = new URL(await location(data.url))
  assert.equal(page.searchParams.get('scope'), 'openid email profile calendar')
  assert.equal(page.searchParams.get('access_type'), 'offline')
  const told = new URLSearchParams((await follow(page, who, true)).hash.slice(1))
  assert.equal(told.get('provider_refresh_token'), 'google-refresh')
  const session = await auth.setSession({
    access_token: told.get('access_token'), refresh_token: told.get('refresh_token'),
  })
  assert.equal(session.data.user.email, who.email)
})

test('an ID token with its nonce', async () => {
  const nonce = randomUUID()
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: PROVIDERS_URL, aud: 'stack-mobile-client', sub: randomUUID(), iat: now, exp: now + 60,
    email: `${randomUUID()}@example.com`, email_verified: true,
    nonce: createHash('sha256').update(nonce).digest('hex'),
  }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ claims })
  const { token } = await (
    await fetch(`${PROVIDERS_URL}/sign`, { method: 'POST', body, headers })
  ).json()
  const auth = client()
  const wrong = await auth.signInWithIdToken({ provider: 'google', token, nonce: 'other' })
  assert.equal(wrong.error.message, 'Nonces mismatch')
  const right = await auth.signInWithIdToken({ provider: 'google', token, nonce })
  assert.equal(right.error, null)
  assert.equal(right.data.user.email, claims.email)
})

test('link, list and unlink', async () => {
  const auth = client('implicit')
  const email = `${randomUUID()}@example.com`
  await auth.signInAnonymously()
  const { data: ghost } = await auth.getUser()
  const google = await person({ email })
  const link = await auth.linkIdentity({ provider: 'google', options: { redirectTo } })
  assert.equal(link.error, null)
  const told = new URLSearchParams((await follow(link.data.url, google, true)).hash.slice(1))
  await auth.setSession({
    access_token: told.get('access_token'), refresh_token: told.get('refresh_token'),
  })
  const { data: found } = await auth.getUser()
  assert.deepEqual([found.user.id, found.user.is_anonymous, found.user.email],
    [ghost.user.id, false, email])

  let listed = await auth.getUserIdentities()
  const single = await auth.unlinkIdentity(listed.data.identities[0])
  assert.equal(single.error.code, 'single_identity_not_deletable')
  const second = await auth.linkIdentity({ provider: 'github', options: { redirectTo } })
  await follow(second.data.url, await person(), true)
  listed = await auth.getUserIdentities()
  assert.deepEqual(listed.data.identities.map((one) => one.provider), ['google', 'github'])
  const gone = await auth.unlinkIdentity(listed.data.identities[1])
  assert.equal(gone.error, null)
  listed = await auth.getUserIdentities()
  assert.deepEqual(listed.data.identities.map((one) => one.provider), ['google'])
})
