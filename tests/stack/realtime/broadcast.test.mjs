// Broadcast between clients, by WebSocket and by HTTP, in both versions of the protocol.
import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { Inbox, client, closeAll, env, joined, pause, signedIn, unique } from './helpers.mjs'

after(closeAll)

function listening(channel) {
  const inbox = new Inbox()
  channel.on('broadcast', { event: '*' }, (message) => inbox.push(message))
  return inbox
}

for (const vsn of ['2.0.0', '1.0.0']) {
  test(`${vsn}: others hear a message, its sender does not`, async () => {
    const name = unique('room')
    const [here, there] = [client({ vsn }).channel(name), client({ vsn }).channel(name)]
    const [own, others] = [listening(here), listening(there)]
    await Promise.all([joined(here), joined(there)])
    assert.equal(await here.send({ type: 'broadcast', event: 'move', payload: { x: 1, name: 'Zoë 🎈' } }), 'ok')
    const [message] = await others.until(1)
    assert.deepEqual(message, { type: 'broadcast', event: 'move', payload: { x: 1, name: 'Zoë 🎈' } })
    await pause(100)
    assert.equal(own.length, 0)
  })

  test(`${vsn}: self echoes, ack is answered`, async () => {
    const channel = client({ vsn }).channel(unique('room'), { config: { broadcast: { self: true, ack: true } } })
    const inbox = listening(channel)
    await joined(channel)
    assert.equal(await channel.send({ type: 'broadcast', event: 'ping', payload: {} }), 'ok')
    await inbox.until(1)
  })

  test(`${vsn}: only members of the same topic hear, in order`, async () => {
    const name = unique('room')
    const [here, there, elsewhere] = [client({ vsn }), client({ vsn }), client({ vsn })]
    const channels = [here.channel(name), there.channel(name), elsewhere.channel(name + 'x')]
    const [, others, strangers] = channels.map(listening)
    await Promise.all(channels.map((channel) => joined(channel)))
    for (let n = 0; n < 50; n++) channels[0].send({ type: 'broadcast', event: 'n', payload: { n } })
    await others.until(50)
    assert.deepEqual(others.map((message) => message.payload.n), [...Array(50).keys()])
    assert.equal(strangers.length, 0)
  })

  test(`${vsn}: httpSend and the older REST form reach members`, async () => {
    const name = unique('room/with slash?')
    const channel = client({ vsn }).channel(name)
    const inbox = listening(channel)
    await joined(channel)
    const sender = client({ vsn }).channel(name)
    assert.deepEqual(await sender.httpSend('note', { text: 'by HTTP' }), { success: true })
    const answer = await fetch(`${env.SUPABASE_URL}/realtime/v1/api/broadcast`, {
      method: 'POST',
      headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ topic: name, event: 'batch', payload: { n: 1 } }, { topic: name, event: 'batch', payload: { n: 2 } }] }),
    })
    assert.equal(answer.status, 202)
    await inbox.until(3)
    assert.deepEqual(inbox.map(({ event }) => event), ['note', 'batch', 'batch'])
    assert.deepEqual(inbox[0].payload, { text: 'by HTTP' })
  })

  test(`${vsn}: leaving ends it, joining again works`, async () => {
    const name = unique('room')
    const supabase = client({ vsn })
    const speaker = client({ vsn }).channel(name)
    await joined(speaker)
    let channel = supabase.channel(name)
    const first = listening(channel)
    await joined(channel)
    assert.equal(await supabase.removeChannel(channel), 'ok')
    await speaker.send({ type: 'broadcast', event: 'lost', payload: {} })
    channel = supabase.channel(name)
    const second = listening(channel)
    await joined(channel)
    await speaker.send({ type: 'broadcast', event: 'heard', payload: {} })
    await second.until(1)
    assert.equal(first.length, 0)
    assert.equal(second[0].event, 'heard')
  })
}

test('bytes arrive as bytes at 2.0.0, and not at all at 1.0.0', async () => {
  const name = unique('room')
  const [sender, modern, old] = [client().channel(name), client().channel(name), client({ vsn: '1.0.0' }).channel(name)]
  const [, bytes, nothing] = [sender, modern, old].map(listening)
  await Promise.all([sender, modern, old].map((channel) => joined(channel)))
  const content = Uint8Array.from([0, 255, 1, 254, 0]).buffer
  await sender.send({ type: 'broadcast', event: 'raw', payload: content })
  await sender.httpSend('raw', new Uint8Array([7, 8, 9]))
  await bytes.until(2)
  assert.deepEqual(new Uint8Array(bytes[0].payload), new Uint8Array(content))
  assert.deepEqual(new Uint8Array(bytes[1].payload), new Uint8Array([7, 8, 9]))
  await pause(100)
  assert.equal(nothing.length, 0)
})

test('versions hear one another', async () => {
  const name = unique('room')
  const [modern, old] = [client().channel(name), client({ vsn: '1.0.0' }).channel(name)]
  const inboxes = [modern, old].map(listening)
  await Promise.all([modern, old].map((channel) => joined(channel)))
  await modern.send({ type: 'broadcast', event: 'a', payload: { from: 'modern' } })
  await old.send({ type: 'broadcast', event: 'b', payload: { from: 'old' } })
  assert.equal((await inboxes[0].until(1))[0].payload.from, 'old')
  assert.equal((await inboxes[1].until(1))[0].payload.from, 'modern')
})

test('a public topic and a private one of the same name never meet', async () => {
  const name = unique('rt:open')
  const open = client().channel(name)
  const closed = (await signedIn()).channel(name, { config: { private: true } })
  const [publicInbox, privateInbox] = [listening(open), listening(closed)]
  await Promise.all([joined(open), joined(closed)])
  await open.send({ type: 'broadcast', event: 'x', payload: {} })
  await closed.send({ type: 'broadcast', event: 'y', payload: {} })
  await pause(200)
  assert.deepEqual([publicInbox.length, privateInbox.length], [0, 0])
})

test('what is no batch is refused with the field that is wrong', async () => {
  const post = (body, type = 'application/json') => fetch(`${env.SUPABASE_URL}/realtime/v1/api/broadcast`, {
    method: 'POST', headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY, 'content-type': type }, body,
  })
  assert.equal((await post('{')).status, 400)
  assert.equal((await post('{}')).status, 422)
  const answer = await post(JSON.stringify({ messages: [{ topic: 'a', payload: {} }] }))
  assert.equal(answer.status, 422)
  assert.deepEqual((await answer.json()).errors.messages[0], { event: ["can't be blank"] })
})
