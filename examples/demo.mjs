// The whole way of money through the real clients: a deal paid by Stripe, a withdrawal by PayPal, a
// booking paid by Razorpay, rated and settled; who may see it; and a ban.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY, SANDBOX_URL } = process.env
const run = Date.now().toString(36)
let step = 0

function tell(title, ...lines) {
  step += 1
  console.log(`\n${step}. ${title}`)
  for (const line of lines) console.log(`   ${line}`)
}

function money(minor, currency = 'EUR') {
  return `${currency} ${(minor / 100).toFixed(2)}`
}

// What waits for time does not wait here.
function passHours(hours) {
  execFileSync(process.env.PYTHON, [new URL('clock.py', import.meta.url).pathname, String(hours)])
}

// The api, by the same client: what needs a provider.
async function ask(who, path, body = {}) {
  const { data, error } = await who.client.functions.invoke(path, { method: 'POST', body })
  if (error) throw new Error(`${path}: ${(await error.context?.text?.()) ?? error.message}`)
  return data.data
}

// What the payer, the bank or the provider does outside our sight, played by the sandbox.
async function outside(path, form = {}) {
  const answer = await fetch(`${SANDBOX_URL}/control/${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`)
  return answer.json()
}

// Workers act within a second or two; whoever looks away misses nothing.
async function until(what, look) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  throw new Error(`waited in vain: ${what}`)
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

const started = await ask(sponsor, `orders/${order.id}/pay`)
const delivery = await outside(`stripe/checkout/sessions/${started.reference}/pay`, { deliveries: 3 })
assert.deepEqual(delivery.answers, [200, 200, 200])
tell(
  'The sponsor pays on the page of Stripe, which sends its signed event three times',
  `page: ${started.client.url}`,
  `${delivery.event}: answered ${delivery.answers.join(', ')}`,
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

// The creator takes half of it out.
const account = await ask(creator, 'accounts', {
  provider: 'paypal',
  country: 'DE',
  details: { paypal_email: creator.email },
})
const early = await creator.client.rpc('request_withdrawal', { amount_minor: 50000, currency: 'EUR' })
assert.ok(early.error)
passHours(73)
await outside('paypal/fund', { amount_minor: 60000, currency: 'EUR' }) // our own money at PayPal
const withdrawal = must(
  await creator.client.rpc('request_withdrawal', { amount_minor: 50000, currency: 'EUR' }),
)
const [balance] = must(await creator.client.from('ledger_balances').select('*').eq('currency', 'EUR'))
assert.equal(balance.reserved_minor, 50000)
const sent = await until('the withdrawal is paid', async () => {
  const [found] = must(await creator.client.from('withdrawals').select().eq('id', withdrawal.id))
  return found.status === 'paid' ? found : null
})
const parts_left = must(await creator.client.rpc('explain_balance', { currency: 'EUR' }))
tell(
  'The creator withdraws half of it by PayPal',
  `a new account rests for 72 hours: ${early.error.code} (${account.label})`,
  `withdrawal ${withdrawal.id}: reserved → sent as ${sent.reference} → paid`,
  ...parts_left.map((part) => `${part.part}: ${money(part.amount_minor)} (${part.reason})`),
)

// A guest books a session with the creator and pays in rupees.
const guest = await signUp('sponsor', 'Devika')
const offer = must(
  await creator.client.rpc('create_booking_offer', {
    title: 'An hour about tea',
    duration_minutes: 60,
    price_minor: 100000,
    currency: 'INR',
  }),
)
const booking = must(
  await guest.client.rpc('book_offer', {
    offer_id: offer.id,
    starts_at: new Date(Date.now() + 48 * 3600_000).toISOString(),
  }),
)
const bill = must(await guest.client.rpc('order_booking', { booking_id: booking.id }))
const checkout = await ask(guest, `orders/${bill.id}/pay`)
assert.equal(checkout.provider, 'razorpay')
await outside(`razorpay/orders/${checkout.reference}/pay`)
const booked = async (status) => {
  const found = must(await guest.client.from('bookings').select().eq('id', booking.id))
  return found[0].status === status ? found[0] : null
}
await until('the booking is paid', () => booked('paid'))
passHours(50)
for (const who of [guest, creator]) {
  must(await who.client.rpc('confirm_completion', { booking_id: booking.id }))
}
must(await guest.client.rpc('rate_booking', { booking_id: booking.id, rating: 2 }))
passHours(25)

// The first admin is made with the secret key; from then on admins make each other.
const admin = await signUp('agent', 'Ines')
const operator = createClient(SUPABASE_URL, SUPABASE_SECRET_KEY, { auth: { persistSession: false } })
must(await operator.rpc('grant_role', { user_id: admin.id, role: 'admin' }))
must(await admin.client.rpc('settle_bookings'))
const settled = await until('the booking settles', () => booked('released'))
const inr = must(
  await creator.client.from('ledger_statement').select('amount_minor, memo').eq('currency', 'INR'),
)
tell(
  'A guest books the creator, pays by Razorpay, rates 2 of 5; it settles after 24 hours',
  `booking ${booking.id}: ${money(settled.total_minor, 'INR')}, paid as ${checkout.reference}`,
  `policy ${settled.policy_version}, ${settled.band}: ${money(settled.host_minor, 'INR')} to the host`,
  `the host's statement says: ${inr[0].memo}`,
)

const books = must(await admin.client.rpc('get_trial_balance'))
const sums = {}
for (const line of books) sums[line.currency] = (sums[line.currency] ?? 0) + line.balance_minor
assert.ok(Object.values(sums).every((sum) => sum === 0))
tell(
  'An admin looks at the books: every currency sums to zero',
  ...books.map((line) => `${line.currency} ${line.kind.padEnd(9)} ${String(line.balance_minor).padStart(12)}`),
  ...Object.entries(sums).map(([currency, sum]) => `${currency} ${'sum'.padEnd(9)} ${String(sum).padStart(12)}`),
)

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
