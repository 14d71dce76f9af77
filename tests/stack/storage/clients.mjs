// Clients of every kind for the tests of storage, and buckets of their own.
import { createHmac, randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'

export const url = process.env.SUPABASE_URL
export const storageUrl = `${url}/storage/v1`
const options = { auth: { persistSession: false, autoRefreshToken: false } }

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

export function token(claims, secret = process.env.SUPABASE_JWT_SECRET) {
  const now = Math.floor(Date.now() / 1000)
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iat: now, exp: now + 3600, ...claims })}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

export const service = createClient(url, process.env.SUPABASE_SECRET_KEY, options)
export const anon = createClient(url, process.env.SUPABASE_PUBLISHABLE_KEY, options)

export function member(id = randomUUID()) {
  const jwt = token({ sub: id, role: 'authenticated', aud: 'authenticated' })
  const client = createClient(url, process.env.SUPABASE_PUBLISHABLE_KEY, {
    ...options,
    accessToken: async () => jwt,
  })
  return { id, jwt, client, storage: client.storage }
}

export const name = (prefix = 'b') => `${prefix}-${randomUUID()}`

export async function bucket(settings = { public: false }) {
  const id = name()
  const { error } = await service.storage.createBucket(id, settings)
  if (error) throw error
  return { id, files: service.storage.from(id) }
}

export const text = async (blob) => Buffer.from(await blob.arrayBuffer()).toString()
