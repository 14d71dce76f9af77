// Objects come in by every form a client has, and go out whole, in parts or not again.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import test from 'node:test'
import { anon, bucket, name, service, storageUrl, text } from './clients.mjs'

const key = process.env.SUPABASE_SECRET_KEY
const headers = { apikey: key, authorization: `Bearer ${key}` }
const md5 = (data) => `"${createHash('md5').update(data).digest('hex')}"`

test('every form of body arrives as it was', async () => {
  const { files } = await bucket()
  const data = Buffer.from('hällo wörld\r\n--boundary\r\n\x00\xff'.repeat(1000), 'latin1')
  const form = new FormData()
  form.append('file', new Blob([data], { type: 'image/png' }), 'a.png')
  const bodies = {
    buffer: data,
    arrayBuffer: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength),
    uint8: new Uint8Array(data),
    blob: new Blob([data], { type: 'image/png' }),
    file: new File([data], 'x.png', { type: 'image/png' }),
    form,
    nodeStream: Readable.from([data.subarray(0, 100), data.subarray(100)]),
    webStream: new Blob([data]).stream(),
  }
  for (const [kind, body] of Object.entries(bodies)) {
    const sent = await files.upload(`in/${kind}`, body, {
      contentType: 'image/png',
      cacheControl: '60',
      metadata: { kind },
    })
    assert.equal(sent.error, null, kind)
    assert.equal(sent.data.path, `in/${kind}`)
    assert.match(sent.data.id, /^[0-9a-f-]{36}$/)
    const got = await files.download(`in/${kind}`)
    assert.equal(got.error, null, kind)
    assert.deepEqual(Buffer.from(await got.data.arrayBuffer()), data, kind)
    const { data: info } = await files.info(`in/${kind}`)
    assert.equal(info.size, data.length)
    assert.equal(info.contentType, 'image/png', kind)
    assert.equal(info.cacheControl, 'max-age=60', kind)
    assert.equal(info.etag, md5(data))
    assert.deepEqual(info.metadata, { kind }, kind)
    assert.equal(info.id, sent.data.id)
  }
})

test('text and nothing at all can be stored', async () => {
  const { files } = await bucket()
  await files.upload('text', 'grüezi')
  const got = await files.download('text')
  assert.equal(await text(got.data), 'grüezi')
  assert.equal(got.data.type, 'text/plain;charset=utf-8')
  assert.equal((await files.upload('empty', new Uint8Array())).error, null)
  assert.equal((await files.download('empty')).data.size, 0)
})

test('a name is taken once, replaced on demand', async () => {
  const { files } = await bucket()
  const first = await files.upload('a', 'one', { metadata: { n: 1 } })
  const again = await files.upload('a', 'two')
  assert.equal(again.error.statusCode, '409')
  assert.equal(again.error.message, 'The resource already exists')
  assert.equal(await text((await files.download('a')).data), 'one')
  const upsert = await files.upload('a', 'three', { upsert: true })
  assert.equal(upsert.data.id, first.data.id)
  assert.equal(await text((await files.download('a')).data), 'three')
  await files.update('a', new Blob(['four']))
  assert.equal(await text((await files.download('a')).data), 'four')
  assert.equal((await files.update('new', 'five')).error, null)
})

test('names are kept as they are', async () => {
  const { files } = await bucket()
  for (const path of ['a b/c+d.txt', 'ü/日本語 😀.txt', "it's (1)!.txt", 'x&y=z;w@$,.txt', 'a//b']) {
    const sent = await fetch(
      `${storageUrl}/object/${files.bucketId}/${encodeURI(path).replace('?', '%3F')}`,
      { method: 'POST', headers, body: path }
    )
    assert.equal(sent.status, 200, path)
    assert.equal((await sent.json()).Key, `${files.bucketId}/${path}`)
    const { data, error } = await files.download(path)
    assert.equal(error, null, path)
    assert.equal(await text(data), path)
  }
  const names = (await files.list('', { limit: 100 })).data.map((row) => row.name)
  assert.deepEqual(names.sort(), ['a', 'a b', "it's (1)!.txt", 'x&y=z;w@$,.txt', 'ü'].sort())
})

test('public objects need no key, private ones a caller', async () => {
  const open = await bucket({ public: true })
  const shut = await bucket()
  for (const { files } of [open, shut]) await files.upload('a.txt', 'x')
  const publicUrl = open.files.getPublicUrl('a.txt').data.publicUrl
  const seen = await fetch(publicUrl)
  assert.equal(seen.status, 200)
  assert.equal(seen.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(seen.headers.get('cache-control'), 'max-age=3600')
  assert.equal((await fetch(shut.files.getPublicUrl('a.txt').data.publicUrl)).status, 400)
  assert.equal((await anon.storage.from(open.id).download('a.txt')).error, null)
  const refused = await fetch(`${storageUrl}/object/${shut.id}/a.txt`, {
    headers: { apikey: process.env.SUPABASE_PUBLISHABLE_KEY },
  })
  assert.equal(refused.status, 400)
  assert.deepEqual(await refused.json(), {
    statusCode: '404',
    error: 'not_found',
    message: 'Object not found',
    code: 'NoSuchKey',
  })
})

test('a download can be named', async () => {
  const { files } = await bucket({ public: true })
  await files.upload('a.txt', 'x')
  const named = files.getPublicUrl('a.txt', { download: 'schön "1".txt' }).data.publicUrl
  assert.equal(
    (await fetch(named)).headers.get('content-disposition'),
    "attachment; filename=sch%C3%B6n%20%221%22.txt; filename*=UTF-8''sch%C3%B6n%20%221%22.txt"
  )
  const unnamed = files.getPublicUrl('a.txt', { download: true }).data.publicUrl
  assert.equal((await fetch(unnamed)).headers.get('content-disposition'), 'attachment')
})

test('HTML is shown as text', async () => {
  const { files } = await bucket({ public: true })
  await files.upload('a.html', '<script>1</script>', { contentType: 'text/html' })
  const { headers: answered } = await fetch(files.getPublicUrl('a.html').data.publicUrl)
  assert.equal(answered.get('content-type'), 'text/plain')
})

test('ranges and conditions', async () => {
  const { files } = await bucket({ public: true })
  const data = Buffer.alloc(700_000, 'abcdefghij')
  await files.upload('a', data)
  const address = files.getPublicUrl('a').data.publicUrl
  const ask = (extra) => fetch(address, { headers: extra })
  for (const [range, start, end] of [
    ['bytes=0-9', 0, 9],
    ['bytes=5-', 5, 699_999],
    ['bytes=-3', 699_997, 699_999],
    ['bytes=100-9999999', 100, 699_999],
  ]) {
    const part = await ask({ range })
    assert.equal(part.status, 206, range)
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end}/700000`)
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), data.subarray(start, end + 1))
  }
  for (const range of ['bytes=700000-', 'bytes=9-3', 'bytes=-0']) {
    assert.equal((await ask({ range })).status, 416, range)
  }
  for (const range of ['bytes=-', 'bytes=0-1,3-4', 'lines=1-2', 'nonsense']) {
    assert.equal((await ask({ range })).status, 200, range)
  }
  const whole = await ask({})
  const etag = whole.headers.get('etag')
  assert.equal(etag, md5(data))
  assert.equal(whole.headers.get('accept-ranges'), 'bytes')
  assert.equal((await ask({ 'if-none-match': etag })).status, 304)
  assert.equal((await ask({ 'if-none-match': `W/${etag}, "x"` })).status, 304)
  assert.equal((await ask({ 'if-none-match': '"other"' })).status, 200)
  const modified = whole.headers.get('last-modified')
  assert.equal((await ask({ 'if-modified-since': modified })).status, 304)
  assert.equal((await ask({ 'if-modified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' })).status, 200)
  assert.equal((await ask({ range: 'bytes=0-1', 'if-range': '"old"' })).status, 200)
  const head = await fetch(address, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(head.headers.get('content-length'), '700000')
})

test('what could run scripts is sandboxed, the rest is not', async () => {
  const { files } = await bucket({ public: true })
  for (const [type, policy] of [
    ['image/svg+xml', 'sandbox'],
    ['application/xhtml+xml', 'sandbox'],
    ['text/xml', 'sandbox'],
    ['image/png', null],
    ['application/pdf', null],
    ['text/plain;charset=UTF-8', null],
  ]) {
    await files.upload('a', '<x/>', { contentType: type, upsert: true })
    const { headers: answered } = await fetch(files.getPublicUrl('a').data.publicUrl)
    assert.equal(answered.get('content-type'), type)
    assert.equal(answered.get('content-security-policy'), policy, type)
  }
})

test('content encoding is kept and told', async () => {
  const { files } = await bucket({ public: true })
  const { gzipSync } = await import('node:zlib')
  await files.upload('a.txt', gzipSync('unpacked'), { contentEncoding: 'gzip' })
  const got = await fetch(files.getPublicUrl('a.txt').data.publicUrl)
  assert.equal(got.headers.get('content-encoding'), 'gzip')
  assert.equal(await got.text(), 'unpacked')
  assert.equal((await files.info('a.txt')).data.contentEncoding, 'gzip')
})

test('exists and info tell what is missing', async () => {
  const { files } = await bucket()
  await files.upload('a', 'x')
  assert.deepEqual(await files.exists('a'), { data: true, error: null })
  assert.equal((await files.exists('b')).data, false)
  const missing = await files.info('b')
  assert.equal(missing.error.statusCode, '404')
  await assert.rejects(service.storage.from(name()).exists('a'), /Bucket not found/)
})

test('move and copy, also to another bucket', async () => {
  const { files, id } = await bucket()
  const other = await bucket()
  await files.upload('a', 'x', { metadata: { m: 1 }, contentType: 'text/css' })
  const before = (await files.info('a')).data
  assert.equal((await files.move('a', 'b/c')).data.message, 'Successfully moved')
  assert.equal((await files.exists('a')).data, false)
  assert.equal((await files.info('b/c')).data.id, before.id)
  assert.deepEqual((await files.copy('b/c', 'd')).data, { path: `${id}/d` })
  const copied = (await files.info('d')).data
  assert.notEqual(copied.id, before.id)
  assert.deepEqual(copied.metadata, { m: 1 })
  assert.equal(copied.contentType, 'text/css')
  await files.copy('d', 'e', { destinationBucket: other.id })
  await files.move('d', 'f', { destinationBucket: other.id })
  for (const path of ['e', 'f']) {
    assert.equal(await text((await other.files.download(path)).data), 'x')
  }
  await files.remove(['b/c'])
  assert.equal(await text((await other.files.download('e')).data), 'x')
  await files.upload('g', 'y')
  assert.equal((await files.copy('g', 'nope/../x')).error.statusCode, '400')
  await files.upload('h', 'z')
  assert.equal((await files.move('g', 'h')).error.statusCode, '409')
  assert.equal((await files.copy('g', 'h')).error.statusCode, '409')
  assert.equal((await files.move('missing', 'x')).error.statusCode, '404')
  assert.equal((await files.copy('missing', 'x')).error.statusCode, '404')
  assert.equal(await text((await files.download('h')).data), 'z')
})

test('remove tells what it removed', async () => {
  const { files, id } = await bucket()
  await files.upload('a', 'x')
  await files.upload('b/c', 'x')
  const { data } = await files.remove(['a', 'b/c', 'missing'])
  assert.deepEqual(data.map((row) => row.name).sort(), ['a', 'b/c'])
  assert.equal(data[0].bucket_id, id)
  assert.equal((await files.download('a')).error.statusCode ?? '404', '404')
  const single = await fetch(`${storageUrl}/object/${id}/a`, { method: 'DELETE', headers })
  assert.equal((await single.json()).statusCode, '404')
  await files.upload('a', 'x')
  const done = await fetch(`${storageUrl}/object/${id}/a`, { method: 'DELETE', headers })
  assert.deepEqual(await done.json(), { message: 'Successfully deleted' })
})

test('a cache that is not there is purged', async () => {
  const { files } = await bucket()
  assert.deepEqual((await files.purgeCache('a')).data, { message: 'success' })
})
