// supabase-js signs in with Solana wallets of every kind it knows.
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { createClient } from '@supabase/supabase-js'

const { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY } = process.env
const SITE = 'https://app.example.com/'
const client = () =>
  createClient(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY, { auth: { persistSession: false } })

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
function base58(bytes) {
  let number = BigInt('0x' + Buffer.from(bytes).toString('hex'))
  let text = ''
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text
  const leadingZeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(leadingZeros) + text
}

function wallet() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const address = base58(raw)
  const signBytes = (bytes) => new Uint8Array(sign(null, Buffer.from(bytes), privateKey))
  return { address, signBytes }
}

// as Phantom: the wallet writes the message itself
function signInWallet() {
  const { address, signBytes } = wallet()
  return {
    address,
    async signIn({ domain, uri, statement, issuedAt, nonce }) {
      const lines = [
        `${domain} wants you to sign in with your Solana account:`, address, '',
        ...(statement ? [statement, ''] : []),
        `URI: ${uri}`, 'Version: 1', ...(nonce ? [`Nonce: ${nonce}`] : []),
        `Issued At: ${issuedAt}`,
      ]
      const signedMessage = new TextEncoder().encode(lines.join('\n'))
      return [{ signedMessage, signature: signBytes(signedMessage) }]
    },
  }
}

// an older one, which only signs what it is given
function signMessageWallet() {
  const { address, signBytes } = wallet()
  return { publicKey: { toBase58: () => address }, signMessage: async (bytes) => signBytes(bytes) }
}

test('a wallet that knows signIn', async () => {
  const auth = client().auth
  const { data, error } = await auth.signInWithWeb3({
    chain: 'solana',
    wallet: signInWallet(),
    statement: 'Welcome',
    options: { url: SITE, signInWithSolana: { nonce: 'abcdefgh' } },
  })
  assert.equal(error, null)
  assert.equal(data.user.app_metadata.provider, 'web3')
  const { data: again } = await auth.getUser()
  assert.equal(again.user.id, data.user.id)
  const { data: claims } = await auth.getClaims()
  assert.equal(claims.claims.amr[0].method, 'web3')
})

test('a wallet that knows signMessage', async () => {
  const own = signMessageWallet()
  const first = await client().auth.signInWithWeb3({
    chain: 'solana', wallet: own, options: { url: SITE },
  })
  assert.equal(first.error, null)
  const second = await client().auth.signInWithWeb3({
    chain: 'solana', wallet: own, statement: 'Again', options: { url: SITE },
  })
  assert.equal(second.data.user.id, first.data.user.id)
  assert.equal(
    first.data.user.identities[0].identity_data.custom_claims.address, own.publicKey.toBase58()
  )
})

test('a message that was signed elsewhere, once', async () => {
  const { address, signBytes } = wallet()
  const message = [
    'app.example.com wants you to sign in with your Solana account:', address, '',
    `URI: ${SITE}`, 'Version: 1', `Issued At: ${new Date().toISOString()}`,
  ].join('\n')
  const signature = signBytes(new TextEncoder().encode(message))
  const first = await client().auth.signInWithWeb3({ chain: 'solana', message, signature })
  assert.equal(first.error, null)
  const again = await client().auth.signInWithWeb3({ chain: 'solana', message, signature })
  assert.equal(again.error.status, 400)
  assert.match(again.error.message, /used before/)
})

test('refusals reach the application as errors', async () => {
  const other = await client().auth.signInWithWeb3({
    chain: 'solana', wallet: signInWallet(), options: { url: 'https://other.example.org/' },
  })
  assert.equal(other.error.status, 400)
  assert.match(other.error.message, /not allowed on this server/)
  const ethereum = await client().auth.signInWithWeb3({
    chain: 'ethereum', message: 'm'.repeat(100), signature: '0x' + '0'.repeat(130),
  })
  assert.equal(ethereum.error.code, 'web3_unsupported_chain')
})
