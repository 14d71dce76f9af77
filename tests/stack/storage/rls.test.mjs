// Policies on storage.objects decide about every operation, and nothing else does.
import assert from 'node:assert/strict'
import test from 'node:test'
import { anon, member, name, service, storageUrl, text, token } from './clients.mjs'

const DENIED = 'new row violates row-level security policy'

test('everyone has a folder of their own', async () => {
  const one = member()
  const two = member()
  const mine = one.storage.from('members')
  const theirs = two.storage.from('members')
  const path = `${one.id}/note.txt`
  const sent = await mine.upload(path, 'private', { metadata: { from: 'one' } })
  assert.equal(sent.error, null)
  assert.equal(await text((await mine.download(path)).data), 'private')
  assert.deepEqual(
    (await mine.list(one.id)).data.map((row) => row.name),
    ['note.txt']
  )

  for (const files of [theirs, anon.storage.from('members')]) {
    assert.equal((await files.upload(`${one.id}/x`, 'x')).error.message, DENIED)
    assert.equal((await files.upload(path, 'x', { upsert: true })).error.message, DENIED)
    assert.equal((await files.update(path, 'x')).error.message, DENIED)
    assert.equal((await files.download(path)).error.status, 400)
    assert.equal((await files.info(path)).error.statusCode, '404')
    assert.deepEqual((await files.list(one.id)).data, [])
    assert.deepEqual((await files.listV2({ prefix: one.id })).data.objects, [])
    assert.deepEqual((await files.remove([path])).data, [])
    assert.equal((await files.createSignedUrl(path, 60)).error.statusCode, '404')
    const [many] = (await files.createSignedUrls([path], 60)).data
    assert.equal(many.signedUrl, null)
    assert.match(many.error, /does not exist or you do not have access/)
    assert.equal((await files.createSignedUploadUrl(`${one.id}/y`)).error.message, DENIED)
    assert.equal((await files.move(path, 'elsewhere')).error.statusCode, '404')
    assert.equal((await files.copy(path, 'elsewhere')).error.statusCode, '404')
  }
  // a folder of theirs is no way in either
  await theirs.upload(`${two.id}/a`, 'x')
  assert.equal((await theirs.move(`${two.id}/a`, `${one.id}/a`)).error.message, DENIED)
  assert.equal((await theirs.copy(`${two.id}/a`, `${one.id}/a`)).error.message, DENIED)
  assert.equal(await text((await mine.download(path)).data), 'private')

  const info = (await mine.info(path)).data
  assert.deepEqual(info.metadata, { from: 'one' })
  const [gone] = (await mine.remove([path])).data
  assert.equal(gone.owner, one.id)
  assert.equal(gone.owner_id, one.id)
})

test('an insert policy alone is enough to upload', async () => {
  const user = member()
  const files = user.storage.from('dropbox')
  const path = name('drop')
  assert.equal((await files.upload(path, 'x')).error, null)
  assert.equal((await files.upload(path, 'y')).error.statusCode, '409')
  assert.equal((await files.download(path)).error.status, 400)
  assert.equal((await files.upload(path, 'y', { upsert: true })).error.message, DENIED)
  const service_ = service.storage.from('dropbox')
  assert.equal(await text((await service_.download(path)).data), 'x')
})

test('an upsert needs an update policy once the name exists', async () => {
  const files = member().storage.from('writeonce')
  const path = name('once')
  await files.upload(path, 'first')
  for (const attempt of [
    files.upload(path, 'second', { upsert: true }),
    files.update(path, 'second'),
    files.upload(path, new Blob(['second']), { upsert: true }),
  ]) {
    assert.equal((await attempt).error.message, DENIED)
  }
  assert.deepEqual((await files.remove([path])).data, [])
  assert.equal((await files.move(path, name())).error.statusCode, '404')
  assert.equal(await text((await files.download(path)).data), 'first')
})

test('policies know the operation', async () => {
  const path = name('listed')
  await service.storage.from('listed').upload(path, 'x')
  const files = member().storage.from('listed')
  const { data } = await files.list('', { search: path })
  assert.deepEqual(
    data.map((row) => row.name),
    [path]
  )
  assert.equal((await files.download(path)).error.status, 400)
  assert.equal((await files.info(path)).error.statusCode, '404')
  assert.deepEqual((await files.listV2({ prefix: path })).data.objects, [])
})

test('policies see the row as it will be stored', async () => {
  const user = member()
  const files = user.storage.from('typed')
  const png = (length) => new Blob(['x'.repeat(length)], { type: 'image/png' })
  for (const body of ['x', png(1)]) {
    assert.equal((await files.upload(name(), body, { contentType: 'image/png' })).error, null)
  }
  for (const [body, contentType] of [
    ['x', 'text/plain'],
    [new Blob(['x'], { type: 'text/plain' })],
    ['x'.repeat(1000), 'image/png'],
    [png(1000)],
  ]) {
    const path = name()
    const refused = await files.upload(path, body, { contentType })
    assert.equal(refused.error.message, DENIED)
    assert.equal((await files.info(path)).error.statusCode, '404')
  }
})

test('a token that proves nothing is refused, except where nobody asks for one', async () => {
  const ask = (bearer, path) =>
    fetch(`${storageUrl}${path}`, {
      headers: {
        apikey: process.env.SUPABASE_PUBLISHABLE_KEY,
        authorization: `Bearer ${bearer}`,
      },
    })
  const expired = token({ role: 'service_role', exp: 1 })
  const forged = token({ role: 'service_role' }, 'another secret')
  for (const [bearer, message] of [
    [expired, '"exp" claim timestamp check failed'],
    [forged, 'signature verification failed'],
    ['rubbish', 'Invalid Compact JWS'],
  ]) {
    const answer = await ask(bearer, '/bucket')
    assert.equal(answer.status, 400)
    assert.deepEqual(await answer.json(), {
      statusCode: '403',
      error: 'Unauthorized',
      message,
      code: 'AccessDenied',
    })
  }
  const strange = await ask(token({ role: 'supabase_storage_admin' }), '/bucket')
  assert.ok(strange.status >= 400)
  assert.ok((await ask(token({ role: 'postgres' }), '/bucket')).status >= 400)
})
