// Changes of tables: events, filters, columns, old rows, and who sees what.
import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import test, { after } from 'node:test'
import { Inbox, client, closeAll, env, following, joined, pause, signedIn, sql, unique } from './helpers.mjs'

after(closeAll)

const anyId = () => randomInt(1_000_000_000)

// A channel that follows, and what it hears.
async function follow(supabase, ...filters) {
  const channel = supabase.channel(unique('changes'))
  const inbox = new Inbox()
  for (const filter of filters) channel.on('postgres_changes', filter, (message) => inbox.push(message))
  await following(channel)
  return inbox
}

const on = (table, rest = {}) => ({ event: '*', schema: 'public', table, ...rest })

for (const vsn of ['2.0.0', '1.0.0']) {
  test(`${vsn}: insert, update, delete, with typed values`, async () => {
    const title = unique('t')
    const inbox = await follow(client({ vsn }), on('rt_items'))
    const mine = () => inbox.filter(({ new: row, old }) => row.title === title || row.title === title + '!' || old.id === id)
    const [[id]] = await sql(
      `insert into rt_items (title, amount, ratio, tags, data, happened_at, is_done)
       values (%s, 1.50, 0.25, '{a,"b,c"}', '{"n": [1, null], "t": "x"}', '2026-01-02 03:04:05.678+00', true) returning id`, title)
    await sql('update rt_items set title = %s where id = %s', title + '!', id)
    await sql('delete from rt_items where id = %s', id)
    while (mine().length < 3) await inbox.until(inbox.length + 1)
    const [inserted, updated, deleted] = mine()
    assert.deepEqual([inserted, updated, deleted].map(({ eventType }) => eventType), ['INSERT', 'UPDATE', 'DELETE'])
    assert.deepEqual(inserted.new, {
      id, owner: null, title, amount: 1.5, ratio: 0.25, tags: ['a', 'b,c'], data: { n: [1, null], t: 'x' },
      happened_at: '2026-01-02T03:04:05.678+00:00', is_done: true,
    })
    assert.deepEqual([inserted.schema, inserted.table, inserted.errors], ['public', 'rt_items', null])
    assert.match(inserted.commit_timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(updated.new.title, title + '!')
    assert.deepEqual(updated.old, { id })
    assert.deepEqual([deleted.new, deleted.old], [{}, { id }])
  })

  test(`${vsn}: row-level security decides for every subscriber`, async () => {
    const [ada, bob] = [randomUUID(), randomUUID()]
    const adas = await follow(await signedIn({ sub: ada }, { vsn }), on('rt_owned', { event: 'INSERT' }))
    const bobs = await follow(await signedIn({ sub: bob }, { vsn }), on('rt_owned', { event: 'INSERT' }))
    const anons = await follow(client({ vsn }), on('rt_owned', { event: 'INSERT' }))
    const servers = await follow(client({ vsn, key: env.SUPABASE_SECRET_KEY }), on('rt_owned', { event: 'INSERT' }))
    await sql('insert into rt_owned (owner, title) values (%s, %s), (%s, %s)', ada, 'A', bob, 'B')
    await adas.until(1)
    await bobs.until(1)
    while (servers.filter(({ new: row }) => [ada, bob].includes(row.owner)).length < 2) await servers.until(servers.length + 1)
    await pause(100)
    assert.deepEqual(adas.map(({ new: row }) => row.title), ['A'])
    assert.deepEqual(bobs.map(({ new: row }) => row.title), ['B'])
    assert.equal(anons.length, 0)
  })
}

test('events are chosen, several entries share a channel', async () => {
  const title = unique('t')
  const channel = client().channel(unique('changes'))
  const [inserts, updates, deletes, everything] = [new Inbox(), new Inbox(), new Inbox(), new Inbox()]
  const filter = `title=eq.${title}`
  for (const [event, inbox] of [['INSERT', inserts], ['UPDATE', updates], ['DELETE', deletes]]) {
    channel.on('postgres_changes', { event, schema: 'public', table: 'rt_items', filter: event === 'DELETE' ? undefined : filter }, (message) => inbox.push(message))
  }
  channel.on('postgres_changes', on('rt_items', { filter }), (message) => everything.push(message))
  await following(channel)
  const [[id]] = await sql('insert into rt_items (title) values (%s) returning id', title)
  await sql('update rt_items set is_done = true where id = %s', id)
  await sql('delete from rt_items where id = %s', id)
  while (!deletes.some(({ old }) => old.id === id)) await deletes.until(deletes.length + 1)
  assert.deepEqual([inserts.length, updates.length], [1, 1])
  // title is not in the replica identity, so a deletion cannot pass a filter on it
  assert.deepEqual(everything.map(({ eventType }) => eventType), ['INSERT', 'UPDATE'])
})

const FILTERS = [
  // filter, titles or amounts that pass among the rows below
  ['amount=eq.10', [10]],
  ['amount=neq.10', [5, 15.5]],
  ['amount=lt.10', [5]],
  ['amount=lte.10', [5, 10]],
  ['amount=gt.10', [15.5]],
  ['amount=gte.10.0', [10, 15.5]],
  ['amount=in.(5,15.50)', [5, 15.5]],
  ['amount=not.in.(5,15.50)', [10]],
  ['title=like.*', []],
  ['title=like.%five', [5]],
  ['title=ilike.%FIVE', [5]],
  ['title=match.(five|ten)$', [5, 10]],
  ['title=imatch.TEN$', [10]],
  ['title=not.like.%five', [10, 15.5]],
  ['owner=is.null', [5, 10]],
  ['owner=not.is.null', [15.5]],
  ['is_done=is.true', [5]],
  ['is_done=isdistinct.true', [10, 15.5]],
  ['is_done=eq.true', [5]],
  ['amount=gt.4,amount=lt.12', [5, 10]],
  ['amount=gt.4,title=like.%ten', [10]],
  ['id=gt.0,amount=gte.15', [15.5]],
]

test('filters let pass what they name', async () => {
  const mark = unique('f')
  const supabase = client()
  const inboxes = await Promise.all(FILTERS.map(([filter]) => follow(supabase, on('rt_items', { event: 'INSERT', filter }))))
  const quoted = await follow(supabase, on('rt_items', { event: 'INSERT', filter: `title=in.("${mark},a \\"b",${mark} ten)` }))
  const exact = await follow(supabase, on('rt_items', { event: 'INSERT', filter: `title=eq."${mark} five"` }))
  const last = await follow(supabase, on('rt_items', { event: 'INSERT', filter: `title=eq.${mark} end` }))
  await sql(`insert into rt_items (title, amount, owner, is_done) values
    (%s, 5, null, true), (%s, 10, null, false), (%s, 15.5, gen_random_uuid(), null), (%s, 100000, null, null)`,
    `${mark} five`, `${mark} ten`, `${mark} rest`, `${mark} end`)
  await last.until(1)
  await pause(50)
  for (const [index, [filter, expected]] of FILTERS.entries()) {
    const passed = inboxes[index].filter(({ new: row }) => row.title.startsWith(mark) && row.amount < 100000)
    assert.deepEqual(passed.map(({ new: row }) => row.amount).sort((a, b) => a - b), expected, filter)
  }
  assert.deepEqual(quoted.map(({ new: row }) => row.amount), [10])
  assert.deepEqual(exact.map(({ new: row }) => row.amount), [5])
})

test('a filter that cannot be is refused with the reason', async () => {
  const refused = async (filter, pattern) => {
    await assert.rejects(follow(client(), filter), pattern)
  }
  await refused(on('rt_items', { filter: 'id=eq.x' }), /invalid input syntax for type bigint/)
  await refused(on('rt_items', { filter: 'nope=eq.1' }), /invalid column for filter nope/)
  await refused(on('rt_items', { filter: 'id=like' }), /Error parsing `filter` params: \["like"\]/)
  await refused(on('rt_items', { filter: 'id=between.1' }), /Error parsing `filter` params: \["between", "1"\]/)
  await refused(on('rt_items', { filter: 'id=in.1,2' }), /wrapped by parentheses/)
  await refused(on('rt_items', { filter: 'data=eq.{}'.replace('{}', "x'; drop table rt_items; --") }), /invalid input syntax|operator does not exist/)
  await refused(on('rt_unpublished'), /^Error: Unable to subscribe to changes with given parameters\. Please check Realtime is enabled/)
  await refused(on('rt_raising', { filter: 'secret=eq.x' }), /invalid column for filter secret/)
  await refused({ event: '*', schema: '*', select: ['id'] }, /Column selection is not supported for wildcard/)
})

test('a filter that fails later stops nobody', async () => {
  const title = unique('t')
  const bad = await follow(client(), on('rt_items', { event: 'INSERT', filter: 'title=match.(' }))
  const good = await follow(client(), on('rt_items', { event: 'INSERT', filter: `title=like.${title}` }))
  await sql('insert into rt_items (title) values (%s)', title)
  await good.until(1)
  assert.equal(bad.length, 0)
})

test('replica identity full gives old rows whole, large values that did not change too', async () => {
  const id = anyId()
  const inbox = await follow(client(), on('rt_full', { filter: `id=eq.${id}` }))
  const body = 'x'.repeat(9000)
  await sql('insert into rt_full values (%s, %s, %s, %s)', id, 'a', 'one', body)
  await sql('update rt_full set title = %s where id = %s', 'two', id)
  await sql('delete from rt_full where id = %s', id)
  await inbox.until(3)
  assert.deepEqual(inbox[1].old, { id, part: 'a', title: 'one', body })
  assert.deepEqual(inbox[1].new, { id, part: 'a', title: 'two', body })
  assert.deepEqual(inbox[2].old, { id, part: 'a', title: 'two', body })
})

test('with row-level security a deletion shows the key alone, to everybody', async () => {
  const [id, owner] = [anyId(), randomUUID()]
  const strangers = await follow(await signedIn(), on('rt_full_owned', { event: 'DELETE' }))
  await sql('insert into rt_full_owned values (%s, %s, %s)', id, owner, 'mine')
  await sql('delete from rt_full_owned where id = %s', id)
  while (!strangers.some(({ old }) => old.id === id)) await strangers.until(strangers.length + 1)
  assert.deepEqual(strangers.find(({ old }) => old.id === id).old, { id })
})

test('columns that a role may not read are left out, and so are those not selected', async () => {
  const id = anyId()
  const supabase = await signedIn()
  const inbox = await follow(supabase, on('rt_raising', { filter: `id=eq.${id}` }))
  const some = await follow(client(), on('rt_full', { filter: `id=eq.${id}`, select: ['title'] }))
  await sql('insert into rt_raising values (%s, %s, %s)', id, 'open', 'hidden')
  await sql('insert into rt_full values (%s, %s, %s, %s)', id, 'a', 'one', 'two')
  await inbox.until(1)
  await some.until(1)
  assert.deepEqual(inbox[0].new, { id, title: 'open' })
  assert.deepEqual(some[0].new, { id, part: 'a', title: 'one' })
})

test('a policy that raises for one subscriber does not stop the others', async () => {
  const id = anyId()
  const table = on('rt_raising', { filter: `id=eq.${id}` })
  const [zero, text, fine] = [await follow(await signedIn({ divisor: 0 }), table), await follow(await signedIn({ divisor: 'x' }), table), await follow(await signedIn({ divisor: 1 }), table)]
  await sql('insert into rt_raising values (%s, %s, %s)', id, 'a', 'b')
  await fine.until(1)
  await pause(100)
  assert.deepEqual([zero.length, text.length], [0, 0])
})

test('without a readable key there is an error instead of a row', async () => {
  const hidden = await follow(await signedIn(), on('rt_hidden_key'))
  const keyless = await follow(await signedIn(), on('rt_keyless'))
  await sql('insert into rt_hidden_key values (%s, %s)', anyId(), 'a')
  await sql('insert into rt_keyless values (%s)', 'a')
  await hidden.until(1)
  await keyless.until(1)
  assert.deepEqual([hidden[0].errors, hidden[0].new], [['Error 401: Unauthorized'], {}])
  assert.deepEqual([keyless[0].errors, keyless[0].new], [['Error 400: Bad Request, no primary key'], {}])
})

test('a row above a megabyte comes with its small values and an error', async () => {
  const id = anyId()
  const inbox = await follow(client(), on('rt_full', { filter: `id=eq.${id}` }))
  await sql(`insert into rt_full values (%s, %s, %s, repeat('x', 1100000))`, id, 'a', 'small')
  await inbox.until(1)
  assert.deepEqual(inbox[0].errors, ['Error 413: Payload Too Large'])
  assert.deepEqual(inbox[0].new, { id, part: 'a', title: 'small' })
})

test('whole schemas can be followed', async () => {
  const id = anyId()
  const everything = await follow(client(), { event: '*', schema: '*' })
  const other = await follow(client(), { event: '*', schema: 'other' })
  await sql('insert into other.rt_elsewhere values (%s, %s)', id, 'a')
  const here = ({ schema, new: row }) => schema === 'other' && row.id === id
  while (!everything.some(here)) await everything.until(everything.length + 1)
  while (!other.some(here)) await other.until(other.length + 1)
  assert.ok(other.every(({ schema }) => schema === 'other'))
})

test('what a transaction takes back is never heard of, what it keeps comes in order', async () => {
  const title = unique('t')
  const inbox = await follow(client(), on('rt_items', { event: 'INSERT', filter: `title=eq.${title}` }))
  await sql(`do $$ begin
    begin insert into rt_items (title, amount) values ('${title}', -1); raise exception 'no'; exception when others then null; end;
    for n in 1 .. 500 loop insert into rt_items (title, amount) values ('${title}', n); end loop;
  end $$`)
  await inbox.until(500)
  assert.deepEqual(inbox.map(({ new: row }) => row.amount), [...Array(500).keys()].map((n) => n + 1))
})

test('a join can wait until the subscription lives', async () => {
  const id = anyId()
  const channel = client().channel(unique('changes'), { config: { postgres_changes_options: { wait: true } } })
  const inbox = new Inbox()
  channel.on('postgres_changes', on('rt_full', { filter: `id=eq.${id}` }), (message) => inbox.push(message))
  await joined(channel)
  await sql('insert into rt_full values (%s, %s)', id, 'a')
  await inbox.until(1)
  const bad = client().channel(unique('changes'), { config: { postgres_changes_options: { wait: true } } })
  bad.on('postgres_changes', on('rt_unpublished'), () => {})
  const error = await joined(bad, 'CHANNEL_ERROR')
  assert.match(error.message, /^RealtimeDisabledForConfiguration: Unable to subscribe/)
})

test('a new token changes what is seen', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()]
  const supabase = await signedIn({ sub: ada })
  const channel = supabase.channel(unique('changes'))
  const [inbox, system] = [new Inbox(), new Inbox()]
  channel.on('postgres_changes', on('rt_owned', { event: 'INSERT' }), (message) => inbox.push(message))
  channel.on('system', {}, (message) => system.push(message))
  await joined(channel)
  await system.until(1)
  const { sign } = await import('./helpers.mjs')
  await supabase.realtime.setAuth(sign({ sub: bob }))
  await system.until(2)
  await sql('insert into rt_owned (owner, title) values (%s, %s), (%s, %s)', ada, 'A', bob, 'B')
  await inbox.until(1)
  await pause(50)
  assert.deepEqual(inbox.map(({ new: row }) => row.title), ['B'])
})
