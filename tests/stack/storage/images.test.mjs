// Images are resized on the way out.
import assert from 'node:assert/strict'
import test from 'node:test'
import { bucket } from './clients.mjs'

// 300 x 200 PNG, made by hand: no image library here
import { deflateSync, crc32 } from 'node:zlib'

function png(width, height, rows = Buffer.alloc((width * 3 + 1) * height, 0x7f)) {
  for (let row = 0; row < height && rows.length; row += 1) rows[row * (width * 3 + 1)] = 0
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(body.length + 8)
    out.writeUInt32BE(data.length)
    body.copy(out, 4)
    out.writeUInt32BE(crc32(body), body.length + 4)
    return out
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

const size = (data) => [data.readUInt32BE(16), data.readUInt32BE(20)]
const bytes = async (blob) => Buffer.from(await blob.arrayBuffer())

test('cover, contain and fill', async () => {
  const { files } = await bucket({ public: true })
  await files.upload('a.png', png(300, 200), { contentType: 'image/png' })
  for (const [transform, expected] of [
    [{ width: 100, height: 100 }, [100, 100]],
    [{ width: 100, height: 100, resize: 'contain' }, [100, 67]],
    [{ width: 100, height: 100, resize: 'fill' }, [100, 100]],
    [{ width: 150 }, [150, 100]],
    [{ height: 50 }, [75, 50]],
    [{ width: 1000, height: 1000 }, [300, 200]],
    [{ width: 250, height: 1000 }, [250, 200]],
  ]) {
    const { data, error } = await files.download('a.png', { transform })
    assert.equal(error, null)
    assert.equal(data.type, 'image/png')
    assert.deepEqual(size(await bytes(data)), expected, JSON.stringify(transform))
  }
})

test('the browser and the caller choose the format', async () => {
  const { files } = await bucket({ public: true })
  await files.upload('a.png', png(30, 20), { contentType: 'image/png' })
  const url = files.getPublicUrl('a.png', { transform: { width: 10, quality: 50 } }).data.publicUrl
  const accept = { accept: 'image/webp,*/*' }
  const webp = await fetch(url, { headers: accept })
  assert.equal(webp.headers.get('content-type'), 'image/webp')
  assert.equal(webp.headers.get('x-transformations'), 'width:10,resizing_type:fill,quality:50')
  const origin = await fetch(`${url}&format=origin`, { headers: accept })
  assert.equal(origin.headers.get('content-type'), 'image/png')
  const avif = await fetch(`${url}&format=avif`)
  assert.equal(avif.headers.get('content-type'), 'image/avif')
})

test('a signed transformation is fixed by its token', async () => {
  const { files } = await bucket()
  await files.upload('a.png', png(30, 20), { contentType: 'image/png' })
  const transform = { width: 15, height: 10 }
  const { data } = await files.createSignedUrl('a.png', 60, { transform })
  assert.match(data.signedUrl, /\/render\/image\/sign\//)
  const seen = await fetch(`${data.signedUrl}&width=3`)
  assert.equal(seen.status, 200)
  assert.equal(seen.headers.get('x-transformations'), 'height:10,width:15,resizing_type:fill')
  assert.deepEqual(size(Buffer.from(await seen.arrayBuffer())), [15, 10])
})

test('what is no image, or too much of one, is refused', async () => {
  const { files } = await bucket({ public: true })
  await files.upload('text', 'no image', { contentType: 'image/png' })
  const bomb = png(10_000, 10_000, Buffer.alloc(0))
  await files.upload('bomb', bomb, { contentType: 'image/png' })
  const long = png(20_000, 2_000, Buffer.alloc(0))
  await files.upload('cut', long, { contentType: 'image/png' })
  await files.upload('a.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>', {
    contentType: 'image/svg+xml',
  })
  const ask = async (path, query) => {
    const url = files.getPublicUrl(path, { transform: { width: 10 } }).data.publicUrl
    const answer = await fetch(`${url}${query ?? ''}`)
    return answer.ok ? answer.headers.get('content-type') : (await answer.json()).statusCode
  }
  assert.equal(await ask('text'), '422')
  assert.equal(await ask('bomb'), '422')
  assert.equal(await ask('cut'), '422')
  assert.equal(await ask('a.svg'), 'image/svg+xml')
  for (const query of ['&quality=5', '&quality=101', '&height=x', '&resize=stretch', '&format=exe'])
    assert.equal(await ask('text', query), '400', query)
})
