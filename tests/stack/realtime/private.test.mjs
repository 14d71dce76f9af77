// Private channels: policies on realtime.messages decide who hears and who speaks.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { after } from 'node:test'
import { Inbox, client, closeAll, env, joined, pause, sign, signedIn, sql, unique } from './helpers.mjs'

after(closeAll)

const isPrivate = { config: { private: true } }

function listening(channel) {
  const inbox = new Inbox()
  channel.on('broadcast', { event: '*' }, (message) => inbox.push(message))
  return inbox
}

for (const vsn of ['2.0.0', '1.0.0']) {
  test(`${vsn}: who may read joins, who may not is told so`, async () => {
    const sub = randomUUID()
    const name = `rt:own:${sub}`
    await joined((await signedIn({ sub }, { vsn })).channel(name, isPrivate))
    const error = await joined((await signedIn({}, { vsn })).channel(name, isPrivate), 'CHANNEL_ERROR')
    assert.equal(error.message, `Unauthorized: You do not have permissions to read from this Channel topic: ${name}`)
    await joined(client({ vsn }).channel(name, isPrivate), 'CHANNEL_ERROR')
  })

  test(`${vsn}: only who may write is heard`, async () => {
    const name = unique('rt:listen')
    const [reader, forger] = [(await signedIn({}, { vsn })).channel(name, isPrivate), (await signedIn({}, { vsn })).channel(name, isPrivate)]
    const inbox = listening(reader)
    await Promise.all([joined(reader), joined(forger)])
    await forger.send({ type: 'broadcast', event: 'forged', payload: {} })
    await sql('select realtime.send(%s::jsonb, %s, %s)', '{"real":true}', 'server', name)
    await inbox.until(1)
    await pause(100)
    assert.deepEqual(inbox.map(({ event }) => event), ['server'])
  })

  test(`${vsn}: a message from the database carries its id`, async () => {
    const name = unique('rt:open')
    const channel = (await signedIn({}, { vsn })).channel(name, isPrivate)
    const inbox = listening(channel)
    await joined(channel)
    await sql('select realtime.send(%s::jsonb, %s, %s)', '{"n": 12345678901234567890, "text": "Zoë"}', 'note', name)
    const [message] = await inbox.until(1)
    const [[id]] = await sql('select id from realtime.messages where topic = %s', name)
    assert.equal(message.event, 'note')
    assert.equal(message.meta.id, id)
    assert.equal(message.payload.id, id)
    assert.equal(message.payload.text, 'Zoë')
  })

  test(`${vsn}: a trigger announces changes of its table`, async () => {
    const name = unique('rt:listen')
    const channel = (await signedIn({}, { vsn })).channel(name, isPrivate)
    const inbox = listening(channel)
    await joined(channel)
    const [[id]] = await sql('insert into rt_announced (topic, note) values (%s, %s) returning id', name, 'one')
    await sql('update rt_announced set note = %s where id = %s', 'two', id)
    await sql('delete from rt_announced where id = %s', id)
    await inbox.until(3)
    assert.deepEqual(inbox.map(({ event }) => event), ['INSERT', 'UPDATE', 'DELETE'])
    const { payload } = inbox[1]
    assert.deepEqual([payload.operation, payload.schema, payload.table], ['UPDATE', 'public', 'rt_announced'])
    assert.deepEqual([payload.record.note, payload.old_record.note], ['two', 'one'])
  })

  test(`${vsn}: replay gives what was sent before`, async () => {
    const name = unique('rt:open')
    const since = Date.now() - 60_000
    for (const n of [1, 2, 3]) await sql('select realtime.send(%s::jsonb, %s, %s)', `{"n":${n}}`, 'old', name)
    const config = { private: true, broadcast: { replay: { since, limit: 2 } } }
    const channel = (await signedIn({}, { vsn })).channel(name, { config })
    const inbox = listening(channel)
    await joined(channel)
    await inbox.until(2)
    assert.deepEqual(inbox.map(({ payload }) => payload.n), [2, 3])
    assert.ok(inbox.every(({ meta }) => meta.replayed === true && meta.id))
    await pause(1300) // a sweep must not repeat them
    assert.equal(inbox.length, 2)
  })
}

test('who may not write learns it when it asked for an answer', async () => {
  const config = { private: true, broadcast: { ack: true } }
  const channel = (await signedIn()).channel(unique('rt:listen'), { config })
  await joined(channel)
  assert.equal(await channel.send({ type: 'broadcast', event: 'x', payload: {} }), 'error')
})

test('a public message from the database reaches the public topic', async () => {
  const name = unique('room')
  const channel = client().channel(name)
  const inbox = listening(channel)
  await joined(channel)
  await sql('select realtime.send(%s::jsonb, %s, %s, false)', '{"open":1}', 'note', name)
  assert.equal((await inbox.until(1))[0].payload.open, 1)
})

test('bytes from the database reach 2.0.0', async () => {
  const name = unique('rt:open')
  const channel = (await signedIn()).channel(name, isPrivate)
  const inbox = listening(channel)
  await joined(channel)
  await sql(`select realtime.send_binary('\\x00ff10'::bytea, %s, %s)`, 'raw', name)
  const [message] = await inbox.until(1)
  assert.deepEqual(new Uint8Array(message.payload), new Uint8Array([0, 255, 16]))
  assert.ok(message.meta.id)
})

test('a policy that raises lets nobody in and hurts nobody else', async () => {
  const error = await joined((await signedIn()).channel(unique('rt:raise'), isPrivate), 'CHANNEL_ERROR')
  assert.match(error.message, /^Unauthorized: /)
  await joined((await signedIn()).channel(unique('rt:open'), isPrivate))
})

test('a malformed sub is refused, not fatal', async () => {
  const error = await joined((await signedIn({ sub: 'nobody' })).channel('rt:own:nobody', isPrivate), 'CHANNEL_ERROR')
  assert.match(error.message, /^Unauthorized: /)
})

test('a role that is none is refused', async () => {
  for (const role of ['postgres', 'supabase_admin', 'nobody', '']) {
    const error = await joined((await signedIn({ role })).channel(unique('rt:open'), isPrivate), 'CHANNEL_ERROR')
    assert.match(error.message, /^Unauthorized: /)
  }
})

test('tokens that prove nothing are refused with their reason', async () => {
  const refused = async (token, code) => {
    const supabase = client({ token })
    await supabase.realtime.setAuth()
    const error = await joined(supabase.channel(unique('room')), 'CHANNEL_ERROR')
    assert.match(error.message, new RegExp(`^${code}: `))
    await supabase.realtime.disconnect()
  }
  await refused(sign({}, { secret: 'x'.repeat(40) }), 'JwtSignatureError')
  await refused(sign({}, { seconds: -5 }), 'InvalidJWTToken')
  await refused(sign({ role: undefined }), 'InvalidJWTToken')
  await refused('not.a.token', 'MalformedJWT')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${sign().split('.')[1]}.`
  await refused(none, 'JwtSignerError')
})

test('a channel ends when its token does, with the reason', async () => {
  const supabase = await signedIn({ exp: Math.floor(Date.now() / 1000) + 5 })
  const channel = supabase.channel(unique('rt:open'), isPrivate)
  const system = new Inbox()
  channel.on('system', {}, (message) => system.push(message))
  const states = new Inbox()
  channel.subscribe((status) => states.push(status))
  await system.until(1)
  assert.equal(system[0].status, 'error')
  assert.match(system[0].message, /^Token has expired \d+ seconds ago$/)
  await states.until(2)
  assert.deepEqual(states.slice(0, 2), ['SUBSCRIBED', 'CLOSED'])
})

test('a new token prolongs a channel, one that may not read ends it', async () => {
  const sub = randomUUID()
  const supabase = client()
  await supabase.realtime.setAuth(sign({ sub, exp: Math.floor(Date.now() / 1000) + 5 }))
  const name = `rt:own:${sub}`
  const channel = supabase.channel(name, isPrivate)
  const system = new Inbox()
  channel.on('system', {}, (message) => system.push(message))
  await joined(channel)
  await supabase.realtime.setAuth(sign({ sub }))
  await pause(5500)
  assert.equal(system.length, 0)
  await supabase.realtime.setAuth(sign({}))
  await system.until(1)
  assert.match(system[0].message, /permission/)
})

test('request headers of the handshake are what policies read', async () => {
  const join = async (headers) => {
    const socket = new WebSocket(`${env.SUPABASE_URL.replace('http', 'ws')}/realtime/v1/websocket?vsn=2.0.0&apikey=${env.SUPABASE_PUBLISHABLE_KEY}`, { headers })
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    const answer = new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(JSON.parse(data))))
    socket.send(JSON.stringify(['1', '1', 'realtime:rt:header:a', 'phx_join', { config: { private: true }, access_token: sign() }]))
    const [, , , , { status }] = await answer
    socket.close()
    return status
  }
  assert.equal(await join({ 'x-pass': 'yes' }), 'ok')
  assert.equal(await join({}), 'error')
})

test('by HTTP, a private message needs the right to write and else is dropped silently', async () => {
  const name = unique('rt:open')
  const other = unique('rt:listen')
  const supabase = await signedIn()
  const [channel, deaf] = [supabase.channel(name, isPrivate), supabase.channel(other, isPrivate)]
  const [inbox, nothing] = [listening(channel), listening(deaf)]
  await Promise.all([joined(channel), joined(deaf)])
  const sender = await signedIn()
  assert.deepEqual(await sender.channel(name, isPrivate).httpSend('allowed', { a: 1 }), { success: true })
  assert.deepEqual(await sender.channel(other, isPrivate).httpSend('forged', { a: 1 }), { success: true })
  await client({ key: env.SUPABASE_SECRET_KEY }).channel(other, isPrivate).httpSend('server', { a: 1 })
  await inbox.until(1)
  await nothing.until(1)
  await pause(100)
  assert.deepEqual(nothing.map(({ event }) => event), ['server'])
})

test('replay is for private channels', async () => {
  const socket = new WebSocket(`${env.SUPABASE_URL.replace('http', 'ws')}/realtime/v1/websocket?vsn=2.0.0&apikey=${env.SUPABASE_PUBLISHABLE_KEY}`)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const answers = new Inbox()
  socket.addEventListener('message', ({ data }) => answers.push(JSON.parse(data)))
  socket.send(JSON.stringify(['1', '1', 'realtime:a', 'phx_join', { config: { broadcast: { replay: { since: 1 } } } }]))
  await answers.until(1)
  assert.equal(answers[0][4].response.reason, 'UnableToReplayMessages: Replay is not allowed for public channels')
  socket.close()
})
