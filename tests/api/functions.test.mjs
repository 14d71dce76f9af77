// The api through Supabase's own clients: functions.invoke, and limits of the Data API.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, API_URL } = process.env

function newClient(key = SUPABASE_PUBLISHABLE_KEY) {
  return createClient(SUPABASE_URL, key, { auth: { persistSession: false } })
}

// the stack answers before the api beside it does
before(async () => {
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`${API_URL}/readyz`).catch(() => null)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the api did not become ready within 20 s')
})

async function signedIn(name) {
  const admin = newClient(SUPABASE_SECRET_KEY)
  const email = `${name}.${Date.now()}.${Math.random().toString(36).slice(2)}@example.com`
  const password = `${name}-has-a-long-password`
  const made = await admin.auth.admin.createUser({
    email, password, email_confirm: true, user_metadata: { role: 'creator', display_name: name },
  })
  assert.equal(made.error, null)
  const client = newClient()
  const { data, error } = await client.auth.signInWithPassword({ email, password })
  assert.equal(error, null)
  return { client, id: data.user.id, token: data.session.access_token }
}

test('functions.invoke reaches the api as the person who signed in', async () => {
  const { client, id, token } = await signedIn('Ada')
  const { data, error } = await client.functions.invoke('me', { method: 'GET' })
  assert.equal(error, null)
  assert.equal(data.success, true)
  assert.equal(data.data.id, id)
  assert.deepEqual(data.data.roles, ['creator'])
  assert.equal(JSON.parse(atob(token.split('.')[0])).alg, 'ES256')
  const direct = await fetch(`${API_URL}/me`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal((await direct.json()).data.id, id)
})

test('a visitor is asked to sign in; the secret key is refused', async () => {
  for (const [key, status, code] of [
    [SUPABASE_PUBLISHABLE_KEY, 401, 'ops.sign_in_required'],
    [SUPABASE_SECRET_KEY, 403, 'ops.service_key_refused'],
  ]) {
    const { data, error } = await newClient(key).functions.invoke('me', { method: 'GET' })
    assert.equal(data, null)
    assert.equal(error.context.status, status)
    assert.equal((await error.context.json()).error.code, code)
  }
})

test('figures are not shown to the world', async () => {
  const answer = await fetch(`${SUPABASE_URL}/functions/v1/metrics`)
  assert.equal(answer.status, 404)
})

test('writes at the Data API are counted, reads are not', async () => {
  const { client, id } = await signedIn('Eager')
  const write = () => client.from('profiles').update({ bio: 'x' }).eq('id', id)
  const answers = []
  for (let round = 0; round < 11; round += 1) {
    answers.push(...(await Promise.all(Array.from({ length: 10 }, write))))
  }
  const refused = answers.filter(({ error }) => error !== null)
  assert.ok(refused.length >= 5 && refused.length <= 10, `${refused.length} refused`)
  for (const { status, error } of refused) {
    assert.equal(status, 429)
    assert.equal(error.code, 'ops.rate_limited')
    assert.equal(error.details, 'member')
  }
  const { data } = await client.from('profiles').select('id').eq('id', id)
  assert.deepEqual(data, [{ id }])
  const { data: session } = await client.auth.getSession()
  const raw = await fetch(`${SUPABASE_URL}/rest/v1/profiles?id=eq.${id}`, {
    method: 'PATCH',
    headers: {
      apikey: SUPABASE_PUBLISHABLE_KEY,
      authorization: `Bearer ${session.session.access_token}`,
      'content-type': 'application/json',
    },
    body: '{"bio": "y"}',
  })
  if (raw.status === 429) assert.ok(Number(raw.headers.get('retry-after')) >= 1)
})
