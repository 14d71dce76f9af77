import test from 'node:test'
import assert from 'node:assert/strict'

const url = process.env.SUPABASE_URL.replace('http', 'ws')
const key = process.env.SUPABASE_PUBLISHABLE_KEY

const outcome = (path) =>
  new Promise((resolve) => {
    const socket = new WebSocket(url + path)
    socket.onopen = () => (socket.close(), resolve('open'))
    socket.onerror = () => resolve('refused')
  })

for (const path of ['/', '/rest/v1/', '/auth/v1/', '/storage/v1/', '/functions/v1/x', '/tables',
  '/inbox', '/realtime/v1x/websocket', '/realtime%2Fv1/websocket', '//realtime/v1/websocket']) {
  test(`no websocket at ${path}`, async () => {
    assert.equal(await outcome(`${path}?apikey=${key}`), 'refused')
  })
}

test('a wrong key opens no websocket', async () => {
  assert.equal(await outcome('/realtime/v1/websocket?apikey=wrong&vsn=1.0.0'), 'refused')
})
