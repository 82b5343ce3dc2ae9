import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeShopify } from '@shopify-tokens/testing'
import { runBlock } from './run-block.js'

/** A block of a document that has come to listen on a port. */
export interface ServedBlock {
  readonly shopify: FakeShopify
  /** A request to the app, on a connection of its own. */
  request(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/** Runs a block as its reader would: configured by the environment, and every shop is at the fake Shopify. */
export async function serveBlock(
  code: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServedBlock> {
  const before = { env: { ...process.env }, fetch: globalThis.fetch }
  const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-readme-'))
  const shopify = await FakeShopify.start({ clientId: 'readme-app', clientSecret: 'readme-secret' })
  Object.assign(process.env, {
    SHOPIFY_API_KEY: 'readme-app',
    SHOPIFY_API_SECRET: 'readme-secret',
    SHOPIFY_API_VERSION: '2026-10',
    SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, 'tokens.sqlite')}`,
    SHOPIFY_TOKENS_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    PORT: '0',
    ...environment,
  })
  // The example uses the global fetch: for shops it leads to the fake, which itself uses the real one.
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    return (new URL(url).hostname.endsWith('.myshopify.com') ? shopify.fetch : before.fetch)(input, init)
  }
  const listening: Server[] = []
  const listen = jest.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args) {
    listening.push(this)
    listen.mockRestore()
    return this.listen(...(args as unknown as []))
  })
  await runBlock(code)
  while (addressOf(listening) === null) await new Promise((resolve) => setImmediate(resolve))
  const port = addressOf(listening)?.port ?? 0
  return {
    shopify,
    request: (path, init = {}) =>
      before.fetch(`http://127.0.0.1:${port}${path}`, {
        redirect: 'manual',
        ...init,
        headers: { connection: 'close', ...(init.headers as Record<string, string>) },
      }),
    async close() {
      process.env = { ...before.env }
      globalThis.fetch = before.fetch
      for (const server of listening) await new Promise((resolve) => server.close(resolve))
      await shopify.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function addressOf([server]: readonly Server[]): AddressInfo | null {
  return (server?.address() ?? null) as AddressInfo | null
}
