// Listings: folders and files, pages, orders.
import assert from 'node:assert/strict'
import test from 'node:test'
import { bucket } from './clients.mjs'

async function filled(paths) {
  const made = await bucket()
  for (const path of paths) await made.files.upload(path, 'x')
  return made.files
}

const names = (rows) => rows.map((row) => row.name)

test('the older listing shows one level', async () => {
  const files = await filled(['b.txt', 'A.txt', 'dir/one.txt', 'dir/two.txt', 'dir/sub/x', 'c/d'])
  const root = (await files.list()).data
  assert.deepEqual(names(root), ['A.txt', 'b.txt', 'c', 'dir'])
  const folder = root.at(-1)
  assert.deepEqual(folder, {
    name: 'dir',
    id: null,
    updated_at: null,
    created_at: null,
    last_accessed_at: null,
    metadata: null,
  })
  const file = root[0]
  assert.equal(file.metadata.size, 1)
  assert.equal(file.metadata.mimetype, 'text/plain;charset=UTF-8')
  assert.match(file.created_at, /Z$/)
  assert.deepEqual(names((await files.list('dir')).data), ['one.txt', 'sub', 'two.txt'])
  assert.deepEqual(names((await files.list('dir/')).data), ['one.txt', 'sub', 'two.txt'])
  assert.deepEqual(names((await files.list('dir', { search: 'o' })).data), ['one.txt'])
  assert.deepEqual(names((await files.list('', { limit: 2, offset: 1 })).data), ['b.txt', 'c'])
  assert.deepEqual(
    names((await files.list('', { sortBy: { column: 'name', order: 'desc' } })).data),
    ['dir', 'c', 'b.txt', 'A.txt']
  )
  const byTime = await files.list('', { sortBy: { column: 'created_at', order: 'desc' } })
  assert.deepEqual(names(byTime.data).slice(-2), ['A.txt', 'b.txt'])
  assert.deepEqual((await files.list('missing')).data, [])
  const wrong = await files.list('', { sortBy: { column: 'id; drop table x' } })
  assert.equal(wrong.error.statusCode, '400')
})

test('wildcards are letters', async () => {
  const files = await filled(['a_b/x', 'aXb/y', 'p%q/z'])
  assert.deepEqual(names((await files.list('a_b')).data), ['x'])
  assert.deepEqual((await files.list('p%').then((r) => r.data)), [])
  assert.deepEqual(names((await files.list('', { search: 'a_' })).data), ['a_b'])
})

async function pages(files, options) {
  const seen = { objects: [], folders: [] }
  let cursor
  let count = 0
  for (;;) {
    const { data, error } = await files.listV2({ ...options, cursor })
    assert.equal(error, null)
    seen.objects.push(...names(data.objects))
    seen.folders.push(...names(data.folders))
    count += 1
    if (!data.hasNext) {
      assert.equal(data.nextCursor, undefined)
      return { ...seen, count }
    }
    cursor = data.nextCursor
  }
}

test('the newer listing pages through every order', async () => {
  const paths = ['z.txt', 'B.txt', 'f/2', 'a.txt', 'f/1', 'e/9', 'f.txt', 'f0', 'e/g/h']
  const files = await filled(paths)
  const sorted = [...paths].sort()
  const top = sorted.filter((path) => !path.includes('/'))
  for (const limit of [1, 2, 3, 100]) {
    for (const order of ['asc', 'desc']) {
      const turn = (list) => (order === 'asc' ? [...list] : [...list].reverse())
      const flat = await pages(files, { limit, sortBy: { column: 'name', order } })
      assert.deepEqual(flat.objects, turn(sorted))
      assert.deepEqual(flat.folders, [])
      const sortBy = { column: 'name', order }
      const folded = await pages(files, { limit, with_delimiter: true, sortBy })
      assert.deepEqual(folded.objects, turn(top), `${limit} ${order}`)
      assert.deepEqual(folded.folders, turn(['e/', 'f/']), `${limit} ${order}`)
      assert.equal(folded.count, Math.ceil(7 / limit))
      for (const column of ['created_at', 'updated_at']) {
        const byTime = await pages(files, { limit, sortBy: { column, order } })
        assert.deepEqual(byTime.objects, turn(paths), `${column} ${order}`)
        const both = await pages(files, { limit, with_delimiter: true, sortBy: { column, order } })
        assert.deepEqual(both.objects, turn(paths.filter((path) => !path.includes('/'))))
        assert.deepEqual(both.folders, turn(['f/', 'e/']))
      }
    }
  }
  const prefixed = await pages(files, { limit: 1, with_delimiter: true, prefix: 'f' })
  assert.deepEqual(prefixed.objects, ['f.txt', 'f0'])
  assert.deepEqual(prefixed.folders, ['f/'])
  const inside = await pages(files, { limit: 1, with_delimiter: true, prefix: 'e/' })
  assert.deepEqual(inside.objects, ['e/9'])
  assert.deepEqual(inside.folders, ['e/g/'])
})

test('a cursor that was not ours is refused', async () => {
  const files = await filled(['a'])
  for (const cursor of ['x', 'W10=', 'bnVsbA==', '{}', 'WzEsMl0=']) {
    assert.equal((await files.listV2({ cursor })).error.statusCode, '400', cursor)
  }
})
