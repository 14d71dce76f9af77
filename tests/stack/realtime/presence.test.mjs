// Presence: who is here, who came, who left.
import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { Inbox, client, closeAll, joined, pause, signedIn, unique } from './helpers.mjs'

after(closeAll)

function watching(channel) {
  const seen = { sync: new Inbox(), join: new Inbox(), leave: new Inbox() }
  for (const event of Object.keys(seen)) channel.on('presence', { event }, (message) => seen[event].push(message))
  return seen
}

const names = (channel) => Object.entries(channel.presenceState()).map(([key, metas]) => [key, ...metas.map(({ name }) => name)]).sort()

for (const vsn of ['2.0.0', '1.0.0']) {
  test(`${vsn}: members see who tracks, changes and leaves`, async () => {
    const topic = unique('here')
    const [ada, bob] = ['ada', 'bob'].map((key) => client({ vsn }).channel(topic, { config: { presence: { key } } }))
    const [atAda] = [watching(ada), watching(bob)]
    await Promise.all([joined(ada), joined(bob)])
    assert.equal(await ada.track({ name: 'Ada' }), 'ok')
    assert.equal(await bob.track({ name: 'Bob' }), 'ok')
    while (names(ada).length < 2 || names(bob).length < 2) await pause(10)
    assert.deepEqual(names(ada), [['ada', 'Ada'], ['bob', 'Bob']])
    await bob.track({ name: 'Robert' })
    while (!JSON.stringify(names(ada)).includes('Robert')) await pause(10)
    assert.deepEqual(names(ada), [['ada', 'Ada'], ['bob', 'Robert']])
    assert.equal(await bob.untrack(), 'ok')
    while (names(ada).length > 1) await pause(10)
    assert.deepEqual(atAda.leave.at(-1).leftPresences.map(({ name }) => name), ['Robert'])
  })

  test(`${vsn}: a lost connection leaves`, async () => {
    const topic = unique('here')
    const gone = client({ vsn })
    const [stays, leaves] = [client({ vsn }).channel(topic), gone.channel(topic, { config: { presence: { key: 'gone' } } })]
    const seen = watching(stays)
    await joined(stays)
    await joined(leaves)
    await leaves.track({ name: 'Gone' })
    await seen.join.until(1)
    gone.realtime.disconnect()
    await seen.leave.until(1)
    assert.equal(seen.leave[0].key, 'gone')
  })
}

test('one key in two windows has two entries', async () => {
  const topic = unique('here')
  const config = { presence: { key: 'same' } }
  const [one, two] = [client().channel(topic, { config }), client().channel(topic, { config })]
  watching(one)
  watching(two)
  await Promise.all([joined(one), joined(two)])
  await one.track({ name: '1' })
  await two.track({ name: '2' })
  while (one.presenceState().same?.length !== 2) await pause(10)
  await two.untrack()
  while (one.presenceState().same?.length !== 1) await pause(10)
})

test('who only tracks is seen, and then sees', async () => {
  const topic = unique('here')
  const [watcher, quiet] = [client().channel(topic), client().channel(topic, { config: { presence: { key: 'quiet' } } })]
  const seen = watching(watcher)
  await Promise.all([joined(watcher), joined(quiet)])
  await quiet.track({ name: 'Quiet' })
  await seen.join.until(1)
  assert.equal(seen.join[0].key, 'quiet')
})

test('on a private topic, policies decide who tracks and who sees', async () => {
  const isPrivate = { config: { private: true, presence: { key: 'k' } } }
  const deny = (await signedIn()).channel(unique('rt:listen'), isPrivate)
  watching(deny)
  await joined(deny)
  assert.equal(await deny.track({ name: 'x' }), 'error')
  const topic = unique('rt:presence')
  const [one, two] = [(await signedIn()).channel(topic, isPrivate), (await signedIn()).channel(topic, isPrivate)]
  const seen = watching(one)
  await Promise.all([joined(one), joined(two)])
  assert.equal(await two.track({ name: 'x' }), 'ok')
  await seen.join.until(1)
  // broadcasts need their own right there
  const heard = new Inbox()
  one.on('broadcast', { event: '*' }, (message) => heard.push(message))
  await two.send({ type: 'broadcast', event: 'x', payload: {} })
  await pause(100)
  assert.equal(heard.length, 0)
  const silent = unique('rt:silent')
  const [blind, other] = [(await signedIn()).channel(silent, isPrivate), (await signedIn()).channel(silent, isPrivate)]
  const unseen = watching(blind)
  await Promise.all([joined(blind), joined(other)])
  assert.equal(await other.track({ name: 'x' }), 'error')
  assert.equal(unseen.sync.length, 0)
})

test('a presence that is no object is refused, too many end the channel', async () => {
  const channel = client().channel(unique('here'))
  watching(channel)
  const system = new Inbox()
  channel.on('system', {}, (message) => system.push(message))
  await joined(channel)
  assert.equal(await channel.track('text'), 'error')
  for (let n = 0; n < 5; n++) channel.track({ n })
  await system.until(1)
  assert.equal(system[0].message, 'Client presence rate limit exceeded')
})
