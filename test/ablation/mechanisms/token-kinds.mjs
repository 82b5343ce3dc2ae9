// What keeps tokens of different kinds, and of different apps, from each other.

const RENEWAL = 'packages/core/src/renewal'
const CLIENT_CREDENTIALS = 'test/core/client-credentials.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const TOKEN_KINDS = [
  {
    mechanism: 'one grant per row',
    without: 'processes with pairs and with client credentials replace each other’s tokens for ever',
    file: `${RENEWAL}/decide.ts`,
    replace: [['  if (!isOfThisGrant) return ofAnotherGrant(record, want, facts)\n', '']],
    test: {
      file: CLIENT_CREDENTIALS,
      group: 'what a manager of another grant has stored',
      title: 'is served by a manager of pairs while it lives, and never renewed there',
    },
    failure: 'Received promise resolved instead of rejected',
  },
  {
    mechanism: 'a pair outlives a requested token',
    without: 'a token that can be requested again is written over a pair that cannot',
    file: `${RENEWAL}/merge.ts`,
    replace: [["record.kind === 'client-credentials' && isServable(present)", 'false && isServable(present)']],
    test: {
      file: CLIENT_CREDENTIALS,
      group: 'what a manager of another grant has stored',
      title: 'stays when it came while a token was on its way',
    },
    failure: 'expect(received).toBe(expected)',
  },
  {
    mechanism: 'pause after a token without life',
    without: 'a token that is over when it comes is requested again by every caller',
    file: `${RENEWAL}/mint.ts`,
    replace: [[" || record.kind === 'client-credentials'", '']],
    test: {
      file: CLIENT_CREDENTIALS,
      group: 'a token of a day',
      title: 'that is over when it comes is not requested again at once, by whomever',
    },
    failure: 'Received: 2',
  },
  {
    mechanism: 'the verifier of the shop',
    without: 'a session token opens a shop whose tokens are another app’s',
    file: 'packages/core/src/sources/tokens-by-shop.ts',
    replace: [["    if (session.shop !== shop) throw new InvalidSessionTokenError('shop')\n", '']],
    test: {
      file: 'test/core/tokens-by-shop.test.ts',
      group: 'a session token',
      title: 'must name the shop that its verifier has found',
    },
    failure: 'Received promise resolved instead of rejected',
  },
]
