// A whole deal through the real clients: sign up, open an escrow, pay, deliver, release; and a ban.
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

function money(minor) {
  return `EUR ${(minor / 100).toFixed(2)}`
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

// Agents bring both sides; each gets half of the fee.
const scout = await signUp('agent', 'Bola')
for (const [who, by] of [
  [creator, agent],
  [sponsor, scout],
]) {
  const code = must(await by.client.rpc('get_referral_code'))
  must(await who.client.rpc('claim_referral', { code }))
}

const milestones = [
  { title: 'First video', price_minor: 100000 },
  { title: 'Two more', price_minor: 180001 },
]
const parts = must(
  await sponsor.client.rpc('open_escrow', {
    creator_id: creator.id,
    title: 'Three videos about tea',
    currency: 'EUR',
    milestones,
  }),
)
const [first] = parts.sort((one, other) => one.position - other.position)
const order = must(await sponsor.client.rpc('order_escrow', { escrow_id: first.id }))
assert.equal(order.amount_minor, 110000)
tell(
  'The sponsor opens an escrow with two milestones and orders the first',
  ...parts.map((part) => `${part.title}: price ${money(part.price_minor)}, with fee ${money(part.total_minor)}`),
  `order ${order.id}: ${money(order.amount_minor)}`,
)

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
  `broadcast order_paid: ${money(news.amount_minor)}`,
  `order: ${paid.status} by ${paid.provider} at ${paid.paid_at}`,
)

const step_of = async (who, name, more = {}) =>
  must(await who.client.rpc(name, { escrow_id: first.id, ...more })).status
const steps = [
  must(await sponsor.client.from('escrows').select('status').eq('id', first.id).single()).status,
  await step_of(creator, 'start_work'),
  await step_of(creator, 'submit_work', { work: 'https://video.example/tea-1' }),
  await step_of(sponsor, 'start_review'),
  await step_of(sponsor, 'approve_escrow'),
]
assert.deepEqual(steps, ['locked', 'work_in_progress', 'work_submitted', 'under_review', 'released'])
tell('The creator delivers, the sponsor approves, the money is released', steps.join(' → '))

const holds = async (who) => {
  const [held] = must(
    await who.client.from('ledger_balances').select('available_minor').eq('currency', 'EUR'),
  )
  return held.available_minor
}
const shares = { [creator.name]: await holds(creator), [agent.name]: await holds(agent), [scout.name]: await holds(scout) }
assert.deepEqual(Object.values(shares), [100000, 5000, 5000])
const [line] = must(
  await creator.client.from('ledger_statement').select('memo, amount_minor').limit(1),
)
tell(
  'The creator gets the price, the agents half of the fee each',
  ...Object.entries(shares).map(([name, minor]) => `${name}: ${money(minor)}`),
  `the creator's statement says: ${line.memo}`,
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
console.log('\nThat was the whole way: clients, Auth, Postgres, provider, worker, Realtime, ledger.')
process.exit() // the client keeps a timer of ten seconds after a channel is left
