import test from 'node:test'
import assert from 'node:assert/strict'

test('the gateway answers', async () => {
  const answer = await fetch(`${process.env.SUPABASE_URL}/health`)
  assert.equal(answer.status, 200)
})
