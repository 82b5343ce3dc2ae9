import * as core from '@shopify-tokens/core'
import * as express from '@shopify-tokens/express'
import * as nestjs from '@shopify-tokens/nestjs'

describe.each([
  ['express', express],
  ['nestjs', nestjs],
])('%s', (_name, framework) => {
  it.each(['RequestAccess', 'currentAccess', 'currentShop', 'isShopifyTokenError', 'parseShop'] as const)(
    'hands on %s of core itself: one class, one context',
    (name) => {
      expect(framework[name]).toBe(core[name])
    },
  )
})
