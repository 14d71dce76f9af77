// Buckets are made, read, changed, emptied and deleted; limits are kept.
import assert from 'node:assert/strict'
import test from 'node:test'
import { anon, bucket, member, name, service } from './clients.mjs'

test('a bucket is created, read, updated and deleted', async () => {
  const id = name()
  const made = await service.storage.createBucket(id, {
    public: true,
    fileSizeLimit: '1MB',
    allowedMimeTypes: ['image/*', 'text/plain'],
  })
  assert.deepEqual(made, { data: { name: id }, error: null })
  const read = await service.storage.getBucket(id)
  assert.equal(read.error, null)
  const { created_at, updated_at, ...rest } = read.data
  assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(updated_at, created_at)
  assert.deepEqual(rest, {
    id,
    name: id,
    owner: '',
    public: true,
    file_size_limit: 1000000,
    allowed_mime_types: ['image/*', 'text/plain'],
  })
  const updated = await service.storage.updateBucket(id, { public: false, fileSizeLimit: null })
  assert.deepEqual(updated.data, { message: 'Successfully updated' })
  const changed = (await service.storage.getBucket(id)).data
  assert.equal(changed.public, false)
  assert.equal(changed.file_size_limit, null)
  assert.deepEqual(changed.allowed_mime_types, ['image/*', 'text/plain'])
  const gone = await service.storage.deleteBucket(id)
  assert.deepEqual(gone.data, { message: 'Successfully deleted' })
  const missing = await service.storage.getBucket(id)
  assert.equal(missing.error.message, 'Bucket not found')
  assert.equal(missing.error.statusCode, '404')
  assert.equal(missing.error.status, 400)
})

test('a second bucket of one name is a duplicate', async () => {
  const { id } = await bucket()
  const { error } = await service.storage.createBucket(id)
  assert.equal(error.statusCode, '409')
  assert.equal(error.message, 'The resource already exists')
})

test('names and limits that cannot be are refused', async () => {
  for (const bad of ['a/b', 'ä', 'x'.repeat(101), '']) {
    const { error } = await service.storage.createBucket(bad)
    assert.equal(error.statusCode, '400', bad)
  }
  const size = await service.storage.createBucket(name(), { fileSizeLimit: '10 apples' })
  assert.match(size.error.message, /Invalid file size format/)
  const huge = await service.storage.createBucket(name(), { fileSizeLimit: '900GB' })
  assert.equal(huge.error.statusCode, '413')
  const mime = await service.storage.createBucket(name(), { allowedMimeTypes: ['not a type'] })
  assert.equal(mime.error.statusCode, '415')
})

test('buckets are listed in pages', async () => {
  const prefix = name('page')
  for (const number of [3, 1, 2]) await service.storage.createBucket(`${prefix}-${number}`)
  const all = await service.storage.listBuckets()
  assert.equal(all.data.filter((row) => row.id.startsWith(prefix)).length, 3)
  assert.equal(all.data[0].type, 'STANDARD')
  const page = await service.storage.listBuckets({
    search: prefix,
    sortColumn: 'name',
    sortOrder: 'desc',
    limit: 2,
    offset: 1,
  })
  assert.deepEqual(
    page.data.map((row) => row.name),
    [`${prefix}-2`, `${prefix}-1`]
  )
})

test('only an empty bucket is deleted', async () => {
  const { id, files } = await bucket()
  await files.upload('a/b.txt', 'x')
  const full = await service.storage.deleteBucket(id)
  assert.equal(full.error.message, 'The bucket you tried to delete is not empty')
  assert.equal(full.error.statusCode, '409')
  assert.equal((await service.storage.emptyBucket(id)).error, null)
  assert.deepEqual((await files.list()).data, [])
  assert.equal((await service.storage.deleteBucket(id)).error, null)
})

test('policies decide about buckets, too', async () => {
  const user = member()
  for (const client of [anon, user.client]) {
    const { error } = await client.storage.createBucket(name())
    assert.equal(error.statusCode, '403')
    assert.equal(error.message, 'new row violates row-level security policy')
  }
  assert.deepEqual((await anon.storage.listBuckets()).data, [])
  assert.deepEqual(
    (await user.storage.listBuckets()).data.map((row) => row.id),
    ['members']
  )
  const { id } = await bucket()
  assert.equal((await user.storage.getBucket(id)).error.statusCode, '404')
  assert.equal((await user.storage.updateBucket(id, { public: true })).error.statusCode, '404')
  assert.equal((await user.storage.deleteBucket(id)).error.statusCode, '404')
  assert.equal((await service.storage.getBucket(id)).data.public, false)
})

test('the buckets of config.toml are there', async () => {
  const { data } = await service.storage.getBucket('configured')
  assert.equal(data.public, true)
  assert.equal(data.file_size_limit, 1024 * 1024)
  assert.deepEqual(data.allowed_mime_types, ['image/png', 'text/*'])
})

test('a bucket takes only its types and sizes', async () => {
  const { files } = await bucket({ fileSizeLimit: 10, allowedMimeTypes: ['image/*', 'text/csv'] })
  const wrong = await files.upload('a', 'x', { contentType: 'application/pdf' })
  assert.equal(wrong.error.message, 'mime type application/pdf is not supported')
  assert.equal(wrong.error.statusCode, '415')
  const form = await files.upload('a', new Blob(['x'], { type: 'text/html' }))
  assert.equal(form.error.statusCode, '415')
  assert.equal((await files.upload('a', 'x', { contentType: 'image/webp' })).error, null)
  assert.equal((await files.upload('b', new Blob(['x'], { type: 'text/csv' }))).error, null)
  for (const body of ['x'.repeat(11), new Blob(['x'.repeat(11)], { type: 'image/png' })]) {
    const { error } = await files.upload('c', body, { contentType: 'image/png' })
    assert.equal(error.statusCode, '413')
    assert.equal(error.message, 'The object exceeded the maximum allowed size')
  }
  assert.equal((await files.upload('c', 'x'.repeat(10), { contentType: 'image/png' })).error, null)
  assert.deepEqual(
    (await files.list()).data.map((row) => row.name),
    ['a', 'b', 'c']
  )
})

test('more than the server takes is refused in words, however it is sent', async () => {
  const { files } = await bucket()
  const data = Buffer.alloc(60 * 1024 * 1024)
  for (const body of [data, new Blob([data]), new Blob([data]).stream()]) {
    const { error } = await files.upload('a', body)
    assert.equal(error.statusCode, '413')
  }
  assert.deepEqual((await files.list()).data, [])
})

test('buckets that are not served say so', async () => {
  const { error } = await service.storage.analytics.listBuckets()
  assert.match(error.message, /not served/)
})
