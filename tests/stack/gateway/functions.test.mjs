import test from 'node:test'
import assert from 'node:assert/strict'
import { createClient, FunctionsHttpError } from '@supabase/supabase-js'

const env = process.env
const supabase = createClient(env.SUPABASE_URL, env.SUPABASE_PUBLISHABLE_KEY)
const { functions } = supabase
const text = (told) => Buffer.from(told.body, 'base64').toString()

// the api starts beside the stack and may need a moment
for (let n = 0; n < 100; n++) {
  if (!(await functions.invoke('echo')).error) break
  await new Promise((resolve) => setTimeout(resolve, 100))
}

test('invoke sends JSON and reads JSON', async () => {
  const { data, error } = await functions.invoke('echo', { body: { a: 1, ü: ['x'] } })
  assert.equal(error, null)
  assert.equal(data.method, 'POST')
  assert.equal(data.path, '/functions/v1/echo')
  assert.deepEqual(JSON.parse(text(data)), { a: 1, ü: ['x'] })
  assert.equal(data.headers.apikey, env.SUPABASE_PUBLISHABLE_KEY)
  assert.match(data.headers['x-client-info'], /^supabase-js/)
})

for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
  test(`invoke with ${method} and headers`, async () => {
    const { data } = await functions.invoke('echo', { method, headers: { 'x-mine': 'yes' } })
    assert.equal(data.method, method)
    assert.equal(data.headers['x-mine'], 'yes')
  })
}

test('invoke sends forms and blobs, reads text and bytes', async () => {
  const form = new FormData()
  form.append('name', 'value')
  const sent = await functions.invoke('echo', { body: form })
  assert.match(sent.data.headers['content-type'], /^multipart\/form-data; boundary=/)
  assert.match(text(sent.data), /name="name"/)
  const said = await functions.invoke('text', { body: 'plain' })
  assert.equal(said.data, 'plain')
  const bytes = await functions.invoke('bytes', { body: new Blob([new Uint8Array([1, 0, 255])]) })
  assert.deepEqual([...new Uint8Array(await bytes.data.arrayBuffer())], [255, 0, 1])
})

test('a failing function is an error with its response', async () => {
  const { data, error } = await functions.invoke('fail')
  assert.equal(data, null)
  assert.ok(error instanceof FunctionsHttpError)
  assert.equal(error.context.status, 418)
  assert.deepEqual(await error.context.json(), { reason: 'a teapot' })
})

test('a user token goes along', async () => {
  const client = createClient(env.SUPABASE_URL, env.SUPABASE_PUBLISHABLE_KEY)
  client.functions.setAuth('some.user.token')
  const { data } = await client.functions.invoke('echo')
  assert.equal(data.headers.authorization, 'Bearer some.user.token')
})
