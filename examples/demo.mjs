// The whole story through the real clients: sign up, order, pay, hear of it, be shut out.
import assert from 'node:assert/strict'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, SANDBOX_URL } = process.env
const run = Date.now().toString(36)
let step = 0

function tell(title, ...lines) {
  step += 1
  console.log(`\n${step}. ${title}`)
  for (const line of lines) console.log(`   ${line}`)
}

function must({ data, error }) {
  if (error) throw new Error(`${error.code ?? ''} ${error.message}`)
  return data
}

// A person with a browser of their own.
function newClient() {
  return createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
  })
}

// The newest code that the local inbox holds for an address.
async function readCode(email) {
  const inbox = `${SUPABASE_URL}/inbox/messages`
  const found = await fetch(`${inbox}?to=${encodeURIComponent(email)}`)
  const [newest] = await found.json()
  const mail = await (await fetch(`${inbox}/${newest.id}`)).json()
  return mail.codes[0]
}

async function signUp(role, name) {
  const email = `${name.toLowerCase()}.${run}@example.com`
  const client = newClient()
  must(
    await client.auth.signUp({
      email,
      password: `${name}-has-a-long-password`,
      options: { data: { role, display_name: name } },
    }),
  )
  const token = await readCode(email)
  const { user } = must(await client.auth.verifyOtp({ email, token, type: 'email' }))
  const roles = must(await client.from('role_assignments').select('role'))
  assert.deepEqual(roles, [{ role }])
  return { client, email, id: user.id, name, role }
}

const sponsor = await signUp('sponsor', 'Sofia')
const creator = await signUp('creator', 'Chidi')
const agent = await signUp('agent', 'Amara')
tell(
  'Three people sign up and confirm their address with the code from the mail',
  ...[sponsor, creator, agent].map((who) => `${who.name}, ${who.role}: ${who.email}`),
)

must(
  await creator.client
    .from('profiles')
    .update({ handle: `chidi_${run}`, bio: 'Tea, mostly.' })
    .eq('id', creator.id),
)
const [seen] = must(
  await sponsor.client.from('profiles').select('display_name, bio').eq('handle', `chidi_${run}`),
)
const foreign = must(
  await sponsor.client.from('profiles').update({ bio: 'mine' }).eq('id', creator.id).select(),
)
assert.equal(foreign.length, 0)
const badge = await creator.client.from('profiles').update({ is_verified: true }).eq('id', creator.id)
assert.equal(badge.error.code, '42501')
tell(
  'Profiles appear; everyone edits their own, and never their badge',
  `the sponsor reads: ${seen.display_name}, "${seen.bio}"`,
  `the sponsor edits it: ${foreign.length} rows changed`,
  `the creator verifies themselves: ${badge.error.message}`,
)

const order = must(
  await sponsor.client.rpc('create_order', {
    amount_minor: 110000,
    currency: 'EUR',
    purpose: 'Three videos about tea',
  }),
)
tell('The sponsor orders', `order ${order.id}: ${order.amount_minor} minor units ${order.currency}`)

const own = must(await sponsor.client.from('orders').select('id, status'))
const others = must(await creator.client.from('orders').select('id, status'))
const visitor = await newClient().from('orders').select('id')
assert.equal(own.length, 1)
assert.equal(others.length, 0)
assert.equal(visitor.error.code, '42501')
tell(
  'Row-level security decides who sees it',
  `sponsor: ${own.length} row (${own[0].status})`,
  `creator: ${others.length} rows`,
  `visitor: ${visitor.error.code} ${visitor.error.message}`,
)

const heard = new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('nothing was heard within 20 s')), 20_000).unref()
  sponsor.hear = resolve
})
const channel = sponsor.client.channel(`user:${sponsor.id}`, { config: { private: true } })
await sponsor.client.realtime.setAuth()
await new Promise((resolve, reject) => {
  channel
    .on('broadcast', { event: 'order_paid' }, ({ payload }) => sponsor.hear(payload))
    .subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve()
      if (status === 'CHANNEL_ERROR') reject(error ?? new Error(status))
    })
})
tell("The sponsor's client listens on its private channel", `topic user:${sponsor.id}`)

// What a payment page and Stripe do between them, played by the sandbox.
async function stripe(path, form, key = 'sk_test_sandbox') {
  const answer = await fetch(SANDBOX_URL + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: new URLSearchParams(form),
  })
  assert.equal(answer.status, 200)
  return answer.json()
}
const intent = await stripe('/stripe/v1/payment_intents', {
  amount: String(order.amount_minor),
  currency: order.currency.toLowerCase(),
  'metadata[order_id]': order.id,
})
const delivery = await stripe(`/control/stripe/payment_intents/${intent.id}/pay`, { deliveries: 3 })
assert.deepEqual(delivery.answers, [200, 200, 200])
tell(
  'Stripe takes the money and sends its signed event three times',
  `${delivery.event} for ${intent.id}: answered ${delivery.answers.join(', ')}`,
)

const news = await heard
assert.equal(news.order_id, order.id)
const [paid] = must(await sponsor.client.from('orders').select('status, provider, paid_at'))
assert.equal(paid.status, 'paid')
tell(
  'A worker has processed it once; the sponsor hears of it at once',
  `broadcast order_paid: ${news.amount_minor} minor units ${news.currency}`,
  `order: ${paid.status} by ${paid.provider} at ${paid.paid_at}`,
)

await sponsor.client.removeAllChannels()

// The first admin is made with the secret key; from then on admins make each other.
const admin = await signUp('agent', 'Ines')
const operator = createClient(SUPABASE_URL, SUPABASE_SECRET_KEY, { auth: { persistSession: false } })
must(await operator.rpc('grant_role', { user_id: admin.id, role: 'admin' }))
must(await admin.client.rpc('suspend_user', { user_id: agent.id, reason: 'Sends spam' }))
const refused = await agent.client.rpc('choose_role', { role: 'sponsor' })
assert.equal(refused.error.code, 'identity.not_active')
const renewed = await agent.client.auth.refreshSession()
assert.ok(renewed.error)
const log = must(
  await admin.client.from('audit_log').select('action, details').eq('subject_id', agent.id),
)
assert.equal(log[0].action, 'identity.suspend_user')
tell(
  'An admin shuts somebody out',
  `the agent acts: ${refused.error.code} (${refused.error.message})`,
  `the agent renews the session: ${renewed.error.message}`,
  `the audit log: ${log[0].action}, because "${log[0].details.reason}"`,
)
console.log('\nThat was the whole way: client, Auth, Postgres, provider, worker, Realtime.')
