// supabase-js enrolls, challenges, verifies and unenrolls a second factor.
import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY } = process.env
const options = { auth: { persistSession: false, autoRefreshToken: false } }
const admin = createClient(SUPABASE_URL, SUPABASE_SECRET_KEY, options).auth.admin
const password = 'correct horse battery'

async function member() {
  const email = `${randomUUID()}@example.com`
  const { data } = await admin.createUser({ email, password, email_confirm: true })
  const auth = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, options).auth
  await auth.signInWithPassword({ email, password })
  return { auth, email, id: data.user.id }
}

// RFC 6238 once more, for the authenticator app's side
async function code(secret, periods = 0) {
  const left = 30_000 - (Date.now() % 30_000) // or it would be another period's by the time it arrives
  if (left < 3000) await new Promise((done) => setTimeout(done, left))
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c))
    .map((n) => n.toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + periods))
  const mac = createHmac('sha1', key).update(counter).digest()
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

async function enrolled() {
  const person = await member()
  const { data, error } = await person.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'app' })
  assert.equal(error, null)
  return { ...person, factor: data }
}

test('from enrollment to aal2 and back', async () => {
  const { auth, factor } = await enrolled()
  assert.match(factor.totp.qr_code, /^data:image\/svg\+xml;utf-8,<svg /)
  let level = await auth.mfa.getAuthenticatorAssuranceLevel()
  assert.deepEqual([level.data.currentLevel, level.data.nextLevel], ['aal1', 'aal1'])

  const challenge = await auth.mfa.challenge({ factorId: factor.id })
  assert.equal(challenge.data.type, 'totp')
  assert.ok(challenge.data.expires_at > Date.now() / 1000)
  const verified = await auth.mfa.verify({
    factorId: factor.id, challengeId: challenge.data.id, code: await code(factor.totp.secret, -1),
  })
  assert.equal(verified.error, null)
  assert.ok(verified.data.access_token && verified.data.refresh_token)

  level = await auth.mfa.getAuthenticatorAssuranceLevel()
  assert.deepEqual([level.data.currentLevel, level.data.nextLevel], ['aal2', 'aal2'])
  assert.deepEqual(
    level.data.currentAuthenticationMethods.map((row) => row.method).sort(), ['password', 'totp']
  )
  const factors = await auth.mfa.listFactors()
  assert.deepEqual(factors.data.totp.map((one) => one.friendly_name), ['app'])
  assert.deepEqual([factors.data.all.length, factors.data.phone.length], [1, 0])

  const gone = await auth.mfa.unenroll({ factorId: factor.id })
  assert.deepEqual(gone.data, { id: factor.id })
  await auth.refreshSession()
  level = await auth.mfa.getAuthenticatorAssuranceLevel()
  assert.deepEqual([level.data.currentLevel, level.data.nextLevel], ['aal1', 'aal1'])
})

test('a later sign-in must pass again', async () => {
  const { auth, email, factor } = await enrolled()
  await auth.mfa.challengeAndVerify({ factorId: factor.id, code: await code(factor.totp.secret, -1) })
  await auth.signOut({ scope: 'local' })
  await auth.signInWithPassword({ email, password })
  let level = await auth.mfa.getAuthenticatorAssuranceLevel()
  assert.deepEqual([level.data.currentLevel, level.data.nextLevel], ['aal1', 'aal2'])
  const denied = await auth.updateUser({ password: 'another password' })
  assert.equal(denied.error.code, 'insufficient_aal')
  const passed = await auth.mfa.challengeAndVerify({
    factorId: factor.id, code: await code(factor.totp.secret),
  })
  assert.equal(passed.error, null)
  assert.equal((await auth.updateUser({ password: 'another password' })).error, null)
})

test('wrong codes and names', async () => {
  const { auth, factor } = await enrolled()
  const wrong = await auth.mfa.challengeAndVerify({ factorId: factor.id, code: '000000' })
  assert.equal(wrong.error.code, 'mfa_verification_failed')
  const same = await auth.mfa.enroll({ factorType: 'totp', friendlyName: 'app' })
  assert.equal(same.error.code, 'mfa_factor_name_conflict')
  const phone = await auth.mfa.enroll({ factorType: 'phone', phone: '+15551234567' })
  assert.equal(phone.error.code, 'mfa_phone_enroll_not_enabled')
  const webauthn = await auth.mfa.enroll({ factorType: 'webauthn', friendlyName: 'key' })
  assert.equal(webauthn.error.code, 'mfa_webauthn_enroll_not_enabled')
  const unknown = await auth.mfa.challenge({ factorId: randomUUID() })
  assert.equal(unknown.error.code, 'mfa_factor_not_found')
})

test('an administrator lists and deletes factors', async () => {
  const { id, factor } = await enrolled()
  const listed = await admin.mfa.listFactors({ userId: id })
  assert.deepEqual(listed.data.factors.map((one) => one.id), [factor.id])
  const deleted = await admin.mfa.deleteFactor({ userId: id, id: factor.id })
  assert.equal(deleted.error, null)
  assert.deepEqual((await admin.mfa.listFactors({ userId: id })).data.factors, [])
})
