// `npm run vectors`: what Shopify's own library accepts and what it refuses, written to vectors.json. Everything is seeded
// and dated, so a second run writes the same.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { callbacks } from './callbacks.mjs'
import { hosts } from './hosts.mjs'
import { CLIENT_ID, fetchLibrary, loadLibrary, NOW, SECRET, SHOP, VERSION } from './library.mjs'
import { sessionTokens } from './session-tokens.mjs'
import { webhooks } from './webhooks.mjs'

fetchLibrary()
const loaded = await loadLibrary()
const known = (vectors) =>
  vectors.map(({ ours, because, ...vector }) => {
    const agrees = ours === undefined || ours === vector.library || (ours !== 'accepts' && vector.library === 'refuses')
    return agrees ? vector : { ...vector, ours, because }
  })
const result = {
  madeWith: { library: `@shopify/shopify-api@${VERSION}` },
  now: NOW,
  clientId: CLIENT_ID,
  clientSecret: SECRET,
  shop: SHOP,
  callbacks: known(await callbacks(loaded)),
  webhooks: known(await webhooks(loaded)),
  sessionTokens: known(await sessionTokens(loaded)),
  hosts: known(await hosts(loaded)),
}
writeFileSync(join(import.meta.dirname, 'vectors.json'), `${JSON.stringify(result, null, 2)}\n`)
for (const [kind, vectors] of Object.entries(result))
  if (Array.isArray(vectors)) {
    const accepted = vectors.filter(({ library }) => library === 'accepts').length
    const differing = vectors.filter(({ ours }) => ours !== undefined)
    console.log(`${kind}: ${vectors.length}, accepted ${accepted}, ours differs on purpose in ${differing.length}`)
  }
