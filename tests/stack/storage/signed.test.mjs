// Signed URLs open one object for a time, and nothing else.
import assert from 'node:assert/strict'
import test from 'node:test'
import { bucket, member, name, storageUrl, text, token } from './clients.mjs'

test('a signed URL reads one object without any key', async () => {
  const { files } = await bucket()
  await files.upload('a b/ü.txt', 'x')
  const { data } = await files.createSignedUrl('a b/ü.txt', 60)
  const seen = await fetch(data.signedUrl)
  assert.equal(seen.status, 200)
  assert.equal(await seen.text(), 'x')
  assert.ok(Date.parse(seen.headers.get('expires')) > Date.now())
  const head = await fetch(data.signedUrl, { method: 'HEAD' })
  assert.equal(head.status, 200)
  const named = (await files.createSignedUrl('a b/ü.txt', 60, { download: 'n.txt' })).data
  assert.equal(
    (await fetch(named.signedUrl)).headers.get('content-disposition'),
    "attachment; filename=n.txt; filename*=UTF-8''n.txt"
  )
})

test('a missing key does not spoil a batch', async () => {
  const { files } = await bucket()
  await files.upload('a', 'x')
  const { data, error } = await files.createSignedUrls(['a', 'b', 'a'], 60)
  assert.equal(error, null)
  assert.deepEqual(
    data.map((entry) => [entry.path, entry.error === null, entry.signedUrl !== null]),
    [
      ['a', true, true],
      ['b', false, false],
      ['a', true, true],
    ]
  )
  assert.equal(await (await fetch(data[0].signedUrl)).text(), 'x')
})

test('a token fits one object, one use and one time', async () => {
  const { files, id } = await bucket()
  const other = await bucket()
  for (const path of ['a', 'b']) await files.upload(path, path)
  await other.files.upload('a', 'other')
  const signed = new URL((await files.createSignedUrl('a', 60)).data.signedUrl)
  const key = signed.searchParams.get('token')
  const ask = async (path, bearer) => {
    const answer = await fetch(`${storageUrl}/object/sign/${path}?token=${bearer}`)
    return answer.ok ? 200 : (await answer.json()).error
  }
  assert.equal(await ask(`${id}/a`, key), 200)
  assert.equal(await ask(`${id}/b`, key), 'InvalidSignature')
  assert.equal(await ask(`${other.id}/a`, key), 'InvalidSignature')
  assert.equal(await ask(`${id}/a`, key.slice(0, -3) + 'abc'), 'InvalidJWT')
  assert.equal(await ask(`${id}/a`, token({ url: `${id}/a` })), 'InvalidJWT')
  assert.equal(await ask(`${id}/a`, ''), 'InvalidJWT')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${key.split('.')[1]}.`
  assert.equal(await ask(`${id}/a`, none), 'InvalidJWT')
  const upload = (await files.createSignedUploadUrl('c')).data
  assert.equal(await ask(`${id}/c`, upload.token), 'InvalidSignature')
  // no signed URL is a login
  const login = await fetch(`${storageUrl}/bucket`, { headers: { authorization: `Bearer ${key}` } })
  assert.equal((await login.json()).statusCode, '403')
  const brief = (await files.createSignedUrl('a', 1)).data.signedUrl
  await new Promise((done) => setTimeout(done, 2100))
  const late = await fetch(brief)
  assert.equal(late.status, 400)
  assert.equal((await late.json()).message, '"exp" claim timestamp check failed')
})

test('a signed upload URL takes one upload in the name of who signed', async () => {
  const user = member()
  const files = user.storage.from('members')
  const path = `${user.id}/${name()}`
  const { data } = await files.createSignedUploadUrl(path)
  assert.equal(data.path, path)
  const stranger = member().storage.from('members')
  const sent = await stranger.uploadToSignedUrl(path, data.token, new Blob(['x']), {
    contentType: 'text/plain',
    metadata: { a: 'b' },
  })
  assert.equal(sent.error, null)
  assert.equal(sent.data.fullPath, `members/${path}`)
  assert.deepEqual((await files.info(path)).data.metadata, { a: 'b' })
  const [row] = (await files.list(user.id)).data
  assert.equal(row.metadata.size, 1)
  const again = await stranger.uploadToSignedUrl(path, data.token, 'y')
  assert.equal(again.error.statusCode, '409')
  const elsewhere = await stranger.uploadToSignedUrl(`${path}2`, data.token, 'y')
  assert.equal(elsewhere.error.message, 'Invalid signature')
  assert.equal((await files.createSignedUploadUrl(path)).error.statusCode, '409')
  const over = (await files.createSignedUploadUrl(path, { upsert: true })).data
  for (const body of ['new', 'newer']) {
    assert.equal((await stranger.uploadToSignedUrl(path, over.token, body)).error, null)
  }
  assert.equal(await text((await files.download(path)).data), 'newer')
  assert.equal((await files.remove([path])).data[0].owner_id, user.id)
})
