import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { readEnvironment } from '@shopify-tokens/core'
import { openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { aKey } from '@shopify-tokens/testing'
import { codeOf } from '../../packages/typeorm-store/src/dialects/dialect.js'

const PASSWORD = 'planted-password'
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that is no PostgreSQL: does this with every connection's first bytes. */
async function server(greet: (socket: Socket) => void): Promise<string> {
  const made = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        greet(socket)
      })
  })
  servers.push(made)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return `postgres://tokens:${PASSWORD}@127.0.0.1:${(made.address() as AddressInfo).port}/tokens`
}

async function failureOf(url: string): Promise<Error> {
  const configuration = readEnvironment({
    SHOPIFY_API_KEY: 'app',
    SHOPIFY_API_SECRET: 'secret',
    SHOPIFY_TOKENS_DATABASE_URL: url,
    SHOPIFY_TOKENS_SEALING_KEYS: `one:${Buffer.alloc(32, 7).toString('base64')}`,
  })
  const opened = openTokenStore({ configuration })
  try {
    await opened.store.get(aKey())
  } catch (error) {
    return error as Error
  } finally {
    await opened.close()
  }
  throw new Error('it was opened')
}

describe('an error of pg without a code', () => {
  it('says that the server refuses TLS', async () => {
    const { message } = await failureOf(`${await server((socket) => socket.end('N'))}?sslmode=verify-full`)
    expect(message).toBe('The token database cannot be opened (The server does not support SSL connections).')
  })

  it('says that the server hung up', async () => {
    const { message } = await failureOf(await server((socket) => socket.end()))
    expect(message).toBe('The token database cannot be opened (Connection terminated unexpectedly).')
  })
})

describe("what is told of a driver's error", () => {
  it.each([
    ['its code, whatever it says', Object.assign(new Error('timeout expired'), { code: '28P01' }), '28P01'],
    ['a sentence that the driver has always ready', new Error('timeout expired'), 'timeout expired'],
    ['its name, when the sentence is another', new Error(`timeout expired: ${PASSWORD}`), 'Error'],
    ['its name, when the code is no code', Object.assign(new RangeError('x'), { code: PASSWORD + ' ' }), 'RangeError'],
    ['nothing, when there is nothing', null, 'unknown error'],
  ])('is %s', (_what, error, told) => {
    expect(codeOf(error)).toBe(told)
  })

  it('are sentences that pg and its pool still say', () => {
    const pool = require.resolve('pg-pool', { paths: [require.resolve('pg')] })
    const client = ['client', 'connection', 'crypto/sasl'].map((file) => require.resolve(`pg/lib/${file}.js`))
    const said = [pool, ...client].map((file) => readFileSync(file, 'utf8')).join('')
    const source = readFileSync(require.resolve('../../packages/typeorm-store/src/dialects/dialect.ts'), 'utf8')
    const sentences = [.../new Set\(\[(.*?)\]\)/s.exec(source)![1]!.matchAll(/'(.*?)'/g)].map(([, text]) => text!)
    expect(sentences.length).toBeGreaterThan(10)
    expect(sentences.filter((sentence) => !said.includes(`'${sentence}'`))).toEqual([])
  })
})
