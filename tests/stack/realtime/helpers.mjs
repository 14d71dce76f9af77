// What the realtime suites share: clients, tokens signed here, SQL, waiting.
import { createHmac, randomUUID } from 'node:crypto'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createClient } from '@supabase/supabase-js'

export const env = process.env
const clients = []
let server

export function client({ vsn = '2.0.0', token, key = env.SUPABASE_PUBLISHABLE_KEY, ...rest } = {}) {
  const options = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { vsn, ...rest } }
  if (token) options.accessToken = async () => token
  const made = createClient(env.SUPABASE_URL, key, options)
  clients.push(made)
  return made
}

// A client whose token is set before it joins, as Supabase's documentation advises.
export async function signedIn(claims = {}, options = {}) {
  const made = client({ ...options, token: sign(claims) })
  await made.realtime.setAuth()
  return made
}

export function sign(claims = {}, { secret = env.SUPABASE_JWT_SECRET, seconds = 600 } = {}) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const all = { role: 'authenticated', aud: 'authenticated', sub: randomUUID(), iat: now, exp: now + seconds }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...all, ...claims })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

export function joined(channel, wanted = 'SUBSCRIBED') {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === wanted) resolve(error)
      else if (wanted === 'SUBSCRIBED' && status !== 'CLOSED') reject(error ?? new Error(status))
    })
  })
}

// Resolves once the server says that the channel's changes flow.
export async function following(channel) {
  const live = new Promise((resolve, reject) => {
    channel.on('system', {}, (message) => {
      if (message.extension !== 'postgres_changes') return
      if (message.status === 'ok') resolve(message)
      else reject(new Error(message.message))
    })
  })
  live.catch(() => {})
  await joined(channel)
  return live
}

// A list that can be waited for.
export class Inbox extends Array {
  static get [Symbol.species]() { return Array }
  push(...items) {
    const length = super.push(...items)
    this.wake?.()
    return length
  }
  async until(count, milliseconds = 15_000) {
    const deadline = Date.now() + milliseconds
    while (this.length < count) {
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`only ${this.length} of ${count}: ${JSON.stringify(this)}`)
      await new Promise((resolve) => { this.wake = resolve; setTimeout(resolve, left) })
    }
    return this
  }
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
export const unique = (prefix) => `${prefix}:${randomUUID().slice(0, 8)}`

export async function sql(text, ...values) {
  if (!server) {
    const child = spawn(env.PYTHON, [fileURLToPath(new URL('sql_server.py', import.meta.url))])
    const waiting = []
    let complaints = ''
    createInterface({ input: child.stdout }).on('line', (line) => waiting.shift().resolve(JSON.parse(line)))
    child.stderr.on('data', (data) => { complaints += data })
    child.on('exit', () => waiting.forEach(({ reject }) => reject(new Error(complaints))))
    server = { child, waiting }
  }
  return new Promise((resolve, reject) => {
    server.waiting.push({ resolve, reject })
    server.child.stdin.write(JSON.stringify({ sql: text, values }) + '\n')
  })
}

export async function closeAll() {
  await Promise.all(clients.splice(0).map((made) => made.realtime.disconnect()))
  server?.child.stdin.end()
  server = undefined
}
