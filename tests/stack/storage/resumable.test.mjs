// Resumable uploads, by tus-js-client and by hand.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import tus from 'tus-js-client'
import { bucket, member, name, service, storageUrl, token } from './clients.mjs'

const endpoint = `${storageUrl}/upload/resumable`
const secret = process.env.SUPABASE_SECRET_KEY
const asService = { authorization: `Bearer ${secret}`, apikey: secret }

function upload(data, metadata, { headers = asService, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const running = new tus.Upload(data, {
      endpoint,
      headers,
      metadata,
      chunkSize: 6 * 1024 * 1024,
      retryDelays: null,
      onError: reject,
      onSuccess: () => resolve(running),
      ...options,
    })
    running.start()
  })
}

const encode = (pairs) =>
  Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',')

const call = (url, method, headers, body) =>
  fetch(url, { method, headers: { 'tus-resumable': '1.0.0', ...asService, ...headers }, body })

const create = (id, key, length, headers = {}) =>
  call(endpoint, 'POST', {
    'upload-length': String(length),
    'upload-metadata': encode({ bucketName: id, objectName: key }),
    ...headers,
  })

const patch = (url, offset, body, headers = {}) =>
  call(
    url,
    'PATCH',
    { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset), ...headers },
    body
  )

for (const uploadDataDuringCreation of [false, true]) {
  test(`a file in chunks, data during creation: ${uploadDataDuringCreation}`, async () => {
    const { files, id } = await bucket()
    const data = randomBytes(13 * 1024 * 1024 + 7)
    const done = await upload(
      data,
      {
        bucketName: id,
        objectName: 'a/ü b.bin',
        contentType: 'image/jpeg',
        cacheControl: '3600',
        metadata: JSON.stringify({ from: 'tus' }),
      },
      { uploadDataDuringCreation }
    )
    assert.ok(done.url.startsWith(`${endpoint}/`))
    const got = await files.download('a/ü b.bin')
    assert.ok(Buffer.from(await got.data.arrayBuffer()).equals(data))
    const info = (await files.info('a/ü b.bin')).data
    assert.equal(info.contentType, 'image/jpeg')
    assert.equal(info.cacheControl, 'max-age=3600')
    assert.deepEqual(info.metadata, { from: 'tus' })
    assert.equal(info.size, data.length)
  })
}

test('an interrupted upload goes on where it stopped', async () => {
  const { files, id } = await bucket()
  const data = randomBytes(300_000)
  const made = await create(id, 'a', data.length)
  assert.equal(made.status, 201)
  const url = made.headers.get('location')
  assert.ok(Date.parse(made.headers.get('upload-expires')) > Date.now())
  const first = await patch(url, 0, data.subarray(0, 100_000))
  assert.equal(first.status, 204)
  assert.equal(first.headers.get('upload-offset'), '100000')
  // a body that never ends: what has arrived stays
  const stopped = new AbortController()
  let arrived = false
  const endless = new ReadableStream({
    async pull(controller) {
      if (!arrived) controller.enqueue(data.subarray(100_000, 150_000))
      arrived = true
      await new Promise((done) => setTimeout(done, 50))
    },
  })
  const broken = fetch(url, {
    method: 'PATCH',
    headers: {
      ...asService,
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '100000',
    },
    body: endless,
    duplex: 'half',
    signal: stopped.signal,
  })
  setTimeout(() => stopped.abort(), 2000)
  await assert.rejects(broken)
  await new Promise((done) => setTimeout(done, 500))
  const head = await call(url, 'HEAD')
  assert.equal(head.status, 200)
  assert.equal(head.headers.get('upload-offset'), '150000')
  assert.equal(head.headers.get('upload-length'), '300000')
  assert.equal(head.headers.get('cache-control'), 'no-store')
  assert.equal((await files.exists('a')).data, false)
  assert.equal((await patch(url, 100_000, data)).status, 409)
  const last = await patch(url, 150_000, data.subarray(150_000))
  assert.equal(last.headers.get('upload-offset'), '300000')
  const got = await files.download('a')
  assert.ok(Buffer.from(await got.data.arrayBuffer()).equals(data))
  assert.equal((await call(url, 'HEAD')).status, 404)
})

test('a second writer takes over from a silent one', async () => {
  const { files, id } = await bucket()
  const url = (await create(id, 'a', 6)).headers.get('location')
  const silent = fetch(url, {
    method: 'PATCH',
    headers: {
      ...asService,
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
    },
    body: new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('abc')),
    }),
    duplex: 'half',
  })
  await new Promise((done) => setTimeout(done, 2000))
  const second = await patch(url, 3, 'def')
  assert.equal(second.status, 204)
  assert.equal((await silent.catch(() => ({ status: 423 }))).status, 423)
  assert.equal(await (await files.download('a')).data.text(), 'abcdef')
})

test('length can come later, an upload can end early', async () => {
  const { files, id } = await bucket()
  const made = await call(endpoint, 'POST', {
    'upload-defer-length': '1',
    'upload-metadata': encode({ bucketName: id, objectName: 'a' }),
  })
  const url = made.headers.get('location')
  await patch(url, 0, 'abc')
  assert.equal((await call(url, 'HEAD')).headers.get('upload-defer-length'), '1')
  assert.equal((await patch(url, 3, 'def', { 'upload-length': '6' })).status, 204)
  assert.equal(await (await files.download('a')).data.text(), 'abcdef')
  const other = (await create(id, 'b', 10)).headers.get('location')
  assert.equal((await call(other, 'DELETE')).status, 204)
  assert.equal((await patch(other, 0, 'x')).status, 404)
  assert.equal((await create(id, 'empty', 0)).status, 201)
  assert.equal((await files.download('empty')).data.size, 0)
})

test('limits, buckets, versions and offsets are checked', async () => {
  const { id } = await bucket({ fileSizeLimit: '10kb', allowedMimeTypes: ['image/*'] })
  const fails = async (attempt, status, text) => {
    const answer = await attempt
    assert.equal(answer.status, status)
    if (text) assert.equal(await answer.text(), text)
  }
  await fails(create('no-such-bucket', 'a', 1), 404, 'Bucket not found')
  await fails(create(id, 'a', 10_001), 413, 'Maximum size exceeded\n')
  await fails(create(id, '../a', 1), 400, 'Invalid key: ../a')
  await fails(create(id, 'a', 1, { 'upload-length': '-1' }), 400)
  await fails(create(id, 'a', 1, { 'tus-resumable': '0.2' }), 412)
  await fails(call(endpoint, 'POST', { 'upload-length': '1' }), 400, 'Metadata header is required')
  const typed = { bucketName: id, objectName: 'a', contentType: 'text/plain' }
  await fails(create(id, 'a', 1, { 'upload-metadata': encode(typed) }), 415)
  const url = (await create(id, 'a', 5)).headers.get('location')
  await fails(patch(url, 0, 'too long'), 413, 'Maximum size exceeded\n')
  await fails(patch(url, 9, 'x'), 409)
  await fails(patch(url, 0, 'x', { 'content-type': 'text/plain' }), 415)
  await fails(patch(`${endpoint}/rubbish!`, 0, 'x'), 400, 'Invalid upload id')
  await fails(patch(`${url.slice(0, -4)}AAAA`, 0, 'x'), 404)
})

test('policies decide about resumable uploads', async () => {
  const user = member()
  const stranger = member()
  const headers = { authorization: `Bearer ${user.jwt}` }
  const objectName = `${user.id}/${name()}`
  await upload(Buffer.from('x'), { bucketName: 'members', objectName }, { headers })
  assert.equal((await user.storage.from('members').info(objectName)).data.size, 1)
  const [row] = (await user.storage.from('members').remove([objectName])).data
  assert.equal(row.owner_id, user.id)
  const made = await create('members', objectName, 3, headers)
  const url = made.headers.get('location')
  const others = { authorization: `Bearer ${stranger.jwt}` }
  const answer = await create('members', objectName, 3, others)
  assert.equal(answer.status, 403)
  assert.equal(await answer.text(), 'new row violates row-level security policy')
  assert.equal((await patch(url, 0, 'abc', others)).status, 403)
  assert.equal((await call(url, 'DELETE', others)).status, 403)
  assert.equal((await patch(url, 0, 'abc', headers)).status, 204)
  assert.equal((await create('members', objectName, 3, headers)).status, 409)
  assert.equal((await create('members', objectName, 3, { ...headers, 'x-upsert': 'true' })).status, 201)
})

test('a signed upload URL opens a resumable upload', async () => {
  const { files, id } = await bucket()
  const signed = (await files.createSignedUploadUrl('a')).data.token
  const metadata = { bucketName: id, objectName: 'a', contentType: 'text/css' }
  const signing = { endpoint: `${endpoint}/sign`, headers: { 'x-signature': signed } }
  const done = await upload(Buffer.from('body{}'), metadata, signing)
  assert.ok(done.url.startsWith(`${endpoint}/sign/`))
  assert.equal((await files.info('a')).data.contentType, 'text/css')
  const attempts = [
    [{ ...signing, headers: {} }, 'Missing x-signature header'],
    [{ ...signing, headers: { 'x-signature': 'rubbish' } }, 'Invalid Compact JWS'],
    [
      { ...signing, headers: { 'x-signature': token({ url: `${id}/a`, upsert: true }) } },
      'signature verification failed',
    ],
  ]
  for (const [options, message] of attempts) {
    await assert.rejects(upload(Buffer.from('x'), metadata, options), (error) => {
      assert.equal(error.originalResponse.getBody(), message)
      assert.equal(error.originalResponse.getStatus(), 400)
      return true
    })
  }
  const other = { ...metadata, objectName: 'b' }
  await assert.rejects(upload(Buffer.from('x'), other, signing), /Invalid signature/)
})

test('a bucket keeps only what was finished', async () => {
  const { files, id } = await bucket()
  await create(id, 'a', 10)
  assert.deepEqual((await files.list()).data, [])
  assert.equal((await service.storage.deleteBucket(id)).error, null)
})

test('a client can ask what the server can', async () => {
  const answer = await fetch(endpoint, { method: 'OPTIONS' })
  assert.equal(answer.status, 204)
  assert.equal(answer.headers.get('tus-version'), '1.0.0')
  assert.equal(answer.headers.get('tus-max-size'), String(50 * 1024 * 1024))
  assert.match(answer.headers.get('tus-extension'), /creation-with-upload/)
  const origin = 'https://app.example'
  const preflight = await fetch(endpoint, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'tus-resumable, upload-offset, x-upsert',
    },
  })
  assert.ok(preflight.ok)
  assert.match(preflight.headers.get('access-control-allow-methods'), /PATCH/)
  assert.match(preflight.headers.get('access-control-allow-headers'), /upload-offset/)
  const made = await call(endpoint, 'POST', { origin })
  assert.match(made.headers.get('access-control-expose-headers'), /Upload-Offset/)
})
