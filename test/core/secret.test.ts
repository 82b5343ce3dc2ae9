import { inspect } from 'node:util'
import { fingerprint, Secret } from '@shopify-tokens/core'
import { prints } from './prints.js'

const TEXT = 'shpss_0123456789abcdef'

describe('a secret', () => {
  it.each(Object.entries(prints(new Secret(TEXT))))('does not show by %s', (_way, printed) => {
    expect(printed).not.toContain(TEXT)
  })

  it('does not survive a structured clone', () => {
    expect(inspect(structuredClone(new Secret(TEXT)), { showHidden: true })).toBe('{}')
  })

  it.each([
    ['String()', String(new Secret(TEXT))],
    ['JSON.stringify', JSON.parse(JSON.stringify(new Secret(TEXT)))],
    ['inspect', inspect(new Secret(TEXT))],
  ])('says by %s that something was left out', (_way, printed) => {
    expect(printed).toBe('[redacted]')
  })

  it('is revealed on request', () => {
    expect(new Secret(TEXT).reveal()).toBe(TEXT)
  })

  it('equals another one with the same text', () => {
    expect(new Secret(TEXT).equals(new Secret(TEXT))).toBe(true)
  })

  it.each(['', 'shpss_0123456789abcdeg', `${TEXT}0`, TEXT.toUpperCase()])('does not equal %j', (other) => {
    expect(new Secret(TEXT).equals(new Secret(other))).toBe(false)
  })
})

describe('a fingerprint', () => {
  it('is the same for the same secret in every process', () => {
    expect(fingerprint(TEXT)).toBe('7d625a30f5c17204')
  })

  it('differs for secrets that differ in one character', () => {
    expect(fingerprint(`${TEXT}0`)).not.toBe(fingerprint(TEXT))
  })

  it('is sixteen hex digits, whatever the secret is', () => {
    expect(fingerprint('')).toMatch(/^[0-9a-f]{16}$/)
    expect(fingerprint('\u{1F511}'.repeat(1_000))).toMatch(/^[0-9a-f]{16}$/)
  })

  it('does not show the secret', () => {
    expect(TEXT).not.toContain(fingerprint(TEXT))
  })
})
