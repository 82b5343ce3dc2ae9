// Finds secrets in bytes, however they were written: as they are, escaped for a URL or JSON, in hex or base64.

/** Spellings of one secret, by name. Base64 of a text that merely contains the secret shows it at one of three offsets. */
export function spellingsOf(secret) {
  const bytes = Buffer.from(secret)
  const spellings = {
    raw: secret,
    url: encodeURIComponent(secret),
    json: JSON.stringify(secret).slice(1, -1),
    hex: bytes.toString('hex'),
    HEX: bytes.toString('hex').toUpperCase(),
  }
  for (const offset of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
    // Characters at the edges depend on the neighbours too.
    const firstOwn = Math.ceil((offset * 4) / 3)
    const lastOwn = Math.floor((shifted.length * 8) / 6)
    spellings[`base64+${String(offset)}`] = shifted.toString('base64').slice(firstOwn, lastOwn)
    spellings[`base64url+${String(offset)}`] = shifted.toString('base64url').slice(firstOwn, lastOwn)
  }
  return spellings
}

/** Which of `secrets` (name to text) stand in `bytes`, each with the spelling found. */
export function findSecrets(bytes, secrets) {
  const haystack = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const found = Object.entries(spellingsOf(secret)).find(([, spelling]) => haystack.includes(spelling))
    return found === undefined ? [] : [{ name, spelling: found[0] }]
  })
}

/** Tokens that a fake Shopify has minted all look alike: their prefix and hex digits, in every spelling. */
const MINTED = {
  raw: /shp(?:at|rt)_[0-9a-f]{24,}/,
  hex: /(?:73687061745f|73687072745f)[0-9a-f]{40,}/i,
  base64: /(?:c2hwYXRf|c2hwcnRf)[A-Za-z0-9+/_-]{24,}/,
  'base64, shifted by one': /(?:NocGF0X|NocHJ0X)[A-Za-z0-9+/_-]{24,}/,
  'base64, shifted by two': /(?:zaHBhdF|zaHBydF)[A-Za-z0-9+/_-]{24,}/,
}

/** The spellings in which a minted token stands in `text`. */
export function findMintedTokens(text) {
  return Object.entries(MINTED).flatMap(([spelling, form]) => {
    const at = text.search(form)
    return at === -1 ? [] : [{ spelling, line: text.slice(0, at).split('\n').length }]
  })
}
