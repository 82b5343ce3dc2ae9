import { inspect } from 'node:util'
import { AccessToken, candidates, isServable, parseShop, type TokenRecord } from '@shopify-tokens/core'
import { aRecord, anAttempt, FAKE_EPOCH } from '@shopify-tokens/testing'
import { expiryOf } from '../../packages/core/src/token.js'
import { prints } from './prints.js'

const shop = parseShop('acme.myshopify.com')
const record = aRecord.expiring({ scopes: ['read_products'] })

describe('an access token', () => {
  const token = new AccessToken(shop, record)

  it('gives the token by value', () => {
    expect(token.value).toBe(record.accessToken)
  })

  it('tells the shop, the scopes and the end of its life', () => {
    expect(Object.fromEntries(Object.entries(token))).toEqual({
      shop,
      scopes: ['read_products'],
      expiresAt: record.expiresAt,
    })
  })

  it.each(Object.entries(prints(token)))('does not show by %s', (_way, printed) => {
    expect(printed).not.toContain(record.accessToken)
    expect(printed).not.toContain(record.refreshToken)
  })

  it('does not survive a structured clone', () => {
    expect(inspect(structuredClone(token), { showHidden: true })).not.toContain(record.accessToken)
  })

  it('prints what is not secret', () => {
    expect(JSON.parse(JSON.stringify(token))).toEqual({
      shop,
      scopes: ['read_products'],
      expiresAt: record.expiresAt,
      value: '[redacted]',
    })
    expect(inspect(token)).toContain('acme.myshopify.com')
    expect(String(token)).toBe('[redacted]')
  })

  it('serialises a missing end as null, because JSON has no Infinity', () => {
    const endless = new AccessToken(shop, aRecord.nonExpiring())

    expect(endless.expiresAt).toBe(Infinity)
    expect(endless.toJSON().expiresAt).toBeNull()
  })
})

describe('expiryOf', () => {
  it('is the instant on record for an expiring pair', () => {
    expect(expiryOf(aRecord.expiring({ expiresAt: FAKE_EPOCH + 5 }))).toBe(FAKE_EPOCH + 5)
  })

  it.each([aRecord.nonExpiring(), aRecord.static()])('is never for a $kind token', (endless) => {
    expect(expiryOf(endless)).toBe(Infinity)
  })
})

describe('isServable', () => {
  it.each([aRecord.expiring(), aRecord.nonExpiring(), aRecord.static()])('says yes to $kind', (servable) => {
    expect(isServable(servable)).toBe(true)
  })

  it.each<TokenRecord>([aRecord.empty({ attempts: [anAttempt()] }), aRecord.removed()])('says no to $kind', (bare) => {
    expect(isServable(bare)).toBe(false)
  })

  it('says no when there is no row', () => {
    expect(isServable(null)).toBe(false)
  })
})

describe('candidates', () => {
  it('are the current refresh token, the alternates in their order, and the predecessor', () => {
    const row = aRecord.expiring({ refreshToken: 'current', alternates: ['first', 'second'], predecessor: 'before' })

    expect(candidates(row)).toEqual(['current', 'first', 'second', 'before'])
  })

  it('are without a predecessor where there was none', () => {
    expect(candidates(aRecord.expiring({ refreshToken: 'current' }))).toEqual(['current'])
  })

  it.each([aRecord.nonExpiring(), aRecord.static(), aRecord.empty(), aRecord.removed(), null])(
    'are none in a row that holds no refresh token',
    (row) => {
      expect(candidates(row)).toEqual([])
    },
  )
})
