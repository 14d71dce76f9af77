// The Data API as supabase-js uses it.
import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, SUPABASE_SECRET_KEY } = process.env
const { SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY } = process.env
const anon = createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY)
const service = createClient(SUPABASE_URL, SUPABASE_SECRET_KEY, { auth: { persistSession: false } })
const base = 5_000_000 + Math.floor(Math.random() * 1_000_000_000)
const id = (n = 0) => base + n

after(() => anon.from('rest_scratch').delete().gte('id', id()).lte('id', id(99)))

const data = async (query) => {
  const { data, error } = await query
  assert.equal(error, null)
  return data
}

test('reads columns, filters and order', async () => {
  const rows = await data(
    anon.from('rest_projects').select('id, name').gt('id', 1).lt('id', 4).order('id', { ascending: false })
  )
  assert.deepEqual(rows, [{ id: 3, name: 'Gamma' }, { id: 2, name: 'Beta' }])
})

test('every filter method', async () => {
  const ids = async (query) => (await data(query.order('id'))).map((row) => row.id)
  const projects = () => anon.from('rest_projects').select('id').lt('id', 1000)
  const clients = () => anon.from('rest_clients').select('id').lt('id', 4)
  assert.deepEqual(await ids(projects().eq('name', 'Beta')), [2])
  assert.deepEqual(await ids(projects().neq('id', 1).lte('id', 2)), [2])
  assert.deepEqual(await ids(projects().gte('id', 4)), [4])
  assert.deepEqual(await ids(projects().like('name', '%a').gt('id', 2)), [3, 4])
  assert.deepEqual(await ids(projects().ilike('name', 'AL%')), [1])
  assert.deepEqual(await ids(projects().likeAllOf('name', ['%a', 'A%'])), [1])
  assert.deepEqual(await ids(projects().likeAnyOf('name', ['Al%', 'Be%'])), [1, 2])
  assert.deepEqual(await ids(projects().ilikeAllOf('name', ['%A', 'a%'])), [1])
  assert.deepEqual(await ids(projects().ilikeAnyOf('name', ['al%', 'be%'])), [1, 2])
  assert.deepEqual(await ids(projects().regexMatch('name', '^A')), [1])
  assert.deepEqual(await ids(projects().regexIMatch('name', '^a')), [1])
  assert.deepEqual(await ids(projects().is('client_id', null)), [4])
  assert.deepEqual(await ids(projects().isDistinct('client_id', 1)), [3, 4])
  assert.deepEqual(await ids(projects().in('name', ['Alpha', 'with, comma (and) more'])), [1])
  assert.deepEqual(await ids(projects().notIn('id', [1, 2, 3])), [4])
  assert.deepEqual(await ids(clients().contains('tags', ['b'])), [1, 2])
  assert.deepEqual(await ids(clients().containedBy('tags', ['b', 'c'])), [2, 3])
  assert.deepEqual(await ids(clients().contains('info', { city: 'Rome' })), [1])
  assert.deepEqual(await ids(clients().overlaps('tags', ['a', 'z'])), [1])
  assert.deepEqual(await ids(projects().rangeLt('span', '[6,7)')), [1])
  assert.deepEqual(await ids(projects().rangeGt('span', '[1,6)')), [3])
  assert.deepEqual(await ids(projects().rangeGte('span', '[5,6)')), [2, 3])
  assert.deepEqual(await ids(projects().rangeLte('span', '[5,6)')), [1])
  assert.deepEqual(await ids(projects().rangeAdjacent('span', '[9,20)')), [2, 3])
  assert.deepEqual(await ids(projects().textSearch('notes', 'fox')), [1])
  assert.deepEqual(await ids(projects().textSearch('notes', 'fox or dog', { type: 'websearch', config: 'simple' })), [1, 2])
  assert.deepEqual(await ids(projects().match({ id: 1, name: 'Alpha' })), [1])
  assert.deepEqual(await ids(projects().not('client_id', 'is', null).gt('id', 2)), [3])
  assert.deepEqual(await ids(projects().or('id.eq.1,and(id.gt.3,name.eq.Delta)')), [1, 4])
  assert.deepEqual(await ids(projects().filter('id', 'in', '(1,2)')), [1, 2])
})

test('embeds, with filters, order and limits of their own', async () => {
  const rows = await data(
    anon
      .from('rest_clients')
      .select('name, projects:rest_projects!inner(id, rest_tasks(title))')
      .eq('id', 1)
      .order('id', { referencedTable: 'projects', ascending: false })
      .limit(1, { referencedTable: 'projects' })
  )
  assert.deepEqual(rows, [{ name: 'Acme', projects: [{ id: 2, rest_tasks: [{ title: 'Fix' }] }] }])
  const either = await data(
    anon.from('rest_clients').select('id, rest_projects!inner(id)').or('id.eq.3,name.eq.Alpha', { referencedTable: 'rest_projects' }).order('id')
  )
  assert.deepEqual(either.map((row) => row.id), [1, 2])
})

test('single, maybeSingle and their refusals', async () => {
  assert.equal((await data(anon.from('rest_clients').select('name').eq('id', 1).single())).name, 'Acme')
  assert.equal(await data(anon.from('rest_clients').select().eq('id', -1).maybeSingle()), null)
  const { error, status } = await anon.from('rest_clients').select().single()
  assert.equal(status, 406)
  assert.equal(error.code, 'PGRST116')
  assert.match(error.details, /^The result contains \d+ rows$/)
})

test('pages and counts', async () => {
  const page = await anon.from('rest_clients').select('id', { count: 'exact' }).lt('id', 4).order('id').range(1, 2)
  assert.deepEqual([page.status, page.count, page.data], [206, 3, [{ id: 2 }, { id: 3 }]])
  for (const count of ['planned', 'estimated']) {
    const { count: found } = await anon.from('rest_clients').select('id', { count, head: true })
    assert.equal(typeof found, 'number')
  }
  const head = await anon.from('rest_clients').select('*', { count: 'exact', head: true }).lt('id', 4)
  assert.deepEqual([head.data, head.count], [null, 3])
})

test('inserts, upserts, updates and deletes', async () => {
  const table = () => anon.from('rest_scratch')
  assert.deepEqual(await data(table().insert({ id: id(), number: 1 }).select('number').single()), { number: 1 })
  assert.equal((await table().insert({ id: id() })).error.code, '23505')
  const upserted = await table().upsert([{ id: id(), number: 2 }, { id: id(1), number: 3 }]).select('number')
  assert.deepEqual([upserted.status, upserted.data], [201, [{ number: 2 }, { number: 3 }]])
  const ignored = await table().upsert({ id: id(), number: 9 }, { ignoreDuplicates: true }).select()
  assert.deepEqual([ignored.status, ignored.data], [201, []])
  const updated = await table().update({ number: 4 }, { count: 'exact' }).eq('id', id()).select('number')
  assert.deepEqual([updated.count, updated.data], [1, [{ number: 4 }]])
  const gone = await table().delete({ count: 'exact' }).in('id', [id(), id(1)])
  assert.deepEqual([gone.status, gone.count, gone.data], [204, 2, null])
})

test('bulk inserts with defaults', async () => {
  const rows = await data(
    anon.from('rest_defaults').insert([{ number: 1 }, { word: 'own' }], { defaultToNull: false }).select('word, number')
  )
  assert.deepEqual(rows, [{ word: 'word', number: 1 }, { word: 'own', number: null }])
})

test('rollback and maxAffected', async () => {
  const rows = await data(anon.from('rest_scratch').insert({ id: id(50) }).select('id').rollback())
  assert.deepEqual(rows, [{ id: id(50) }])
  assert.deepEqual(await data(anon.from('rest_scratch').select('id').eq('id', id(50))), [])
  const { error } = await anon.from('rest_scratch').update({ number: 1 }).gte('id', 0).maxAffected(0)
  assert.ok(error === null || error.code === 'PGRST124')
})

test('functions', async () => {
  assert.equal(await data(anon.rpc('rest_add', { a: 1 })), 11)
  assert.equal(await data(anon.rpc('rest_add', { a: 1, b: 2 }, { get: true })), 3)
  assert.equal(await data(anon.rpc('rest_takes_array', { list: [1, 2, 3] }, { get: true })), 3)
  assert.equal(await data(anon.rpc('rest_nothing')), null)
  assert.deepEqual(
    await data(anon.rpc('rest_rows', { at_least: 2 }).select('name, rest_clients(name)').eq('id', 3)),
    [{ name: 'Gamma', rest_clients: { name: 'Bolt' } }]
  )
  const counted = await anon.rpc('rest_rows', {}, { head: true, count: 'exact' })
  assert.deepEqual([counted.data, counted.count], [null, 4])
  assert.equal((await anon.rpc('rest_raise', { kind: 'pgrst' })).status, 432)
})

test('csv, geojson, explain and stripped nulls', async () => {
  assert.equal(await data(anon.from('rest_clients').select('id,name').lt('id', 3).order('id').csv()), 'id,name\n1,Acme\n2,Bolt')
  assert.equal((await anon.from('rest_clients').select().geojson()).error.code, 'PGRST107')
  assert.match(await data(anon.from('rest_clients').select().explain()), /Aggregate/)
  const [plan] = await data(anon.from('rest_clients').select().explain({ format: 'json', analyze: true, verbose: true }))
  assert.ok(plan.Plan['Actual Rows'] >= 0)
})

test('schemas', async () => {
  assert.deepEqual(await data(anon.schema('other').from('rest_clients').select('name')), [{ name: 'Elsewhere' }])
  assert.equal(await data(anon.schema('other').rpc('rest_elsewhere')), 'other')
  assert.equal((await anon.schema('auth').from('users').select()).error.code, 'PGRST106')
})

test('every kind of key', async () => {
  assert.equal((await data(service.rpc('rest_whoami'))).role, 'service_role')
  for (const [key, role] of [[SUPABASE_ANON_KEY, 'anon'], [SUPABASE_SERVICE_ROLE_KEY, 'service_role']]) {
    const client = createClient(SUPABASE_URL, key, { auth: { persistSession: false } })
    assert.equal((await data(client.rpc('rest_whoami'))).role, role)
  }
  const wrong = createClient(SUPABASE_URL, 'sb_publishable_wrong')
  assert.equal((await wrong.from('rest_clients').select()).status, 401)
})

test('errors have their code, status and hint', async () => {
  const missing = await anon.from('rest_project').select()
  assert.deepEqual([missing.status, missing.error.code], [404, 'PGRST205'])
  assert.equal(missing.error.hint, "Perhaps you meant the table 'public.rest_projects'")
  const denied = await anon.from('rest_hidden').select()
  assert.deepEqual([denied.status, denied.error.code], [401, '42501'])
})
