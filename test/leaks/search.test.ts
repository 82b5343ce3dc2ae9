import { findMintedTokens, findSecrets } from './search.mjs'

const secret = 'a secret/with?odd="characters"'
const token = `shpat_${'0123456789abcdef'.repeat(2)}`

describe('the search for leaks', () => {
  it.each([
    ['as it is', (text: string) => text],
    ['in a URL', (text: string) => encodeURIComponent(text)],
    ['in JSON', (text: string) => JSON.stringify({ text })],
    ['in hex', (text: string) => Buffer.from(text).toString('hex')],
    ['in upper-case hex', (text: string) => Buffer.from(text).toString('hex').toUpperCase()],
    ['in base64', (text: string) => Buffer.from(text).toString('base64')],
    ['in base64 behind one byte', (text: string) => Buffer.from(`x${text}`).toString('base64')],
    ['in base64 behind two bytes', (text: string) => Buffer.from(`xy${text}z`).toString('base64')],
    ['in base64url', (text: string) => Buffer.from(`xyz${text}`).toString('base64url')],
  ])('finds a secret and a minted token %s', (_title, write) => {
    expect(findSecrets(`before ${write(secret)} after`, { planted: secret })).toHaveLength(1)
    expect(findMintedTokens(`before\n${write(token)} after`)).toEqual([expect.objectContaining({ line: 2 })])
  })

  it('finds nothing in what only resembles', () => {
    expect(findSecrets('a secret/with?odd', { planted: secret })).toEqual([])
    expect(findMintedTokens('shpat_short, shprt_, c2hwYXRf')).toEqual([])
  })
})
