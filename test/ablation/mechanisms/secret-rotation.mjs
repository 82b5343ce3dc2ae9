// What must be known of every row before a client secret may be revoked.

const ROTATION = 'packages/core/src/secret-rotation'
const TESTS = 'test/core/repin-all.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const SECRET_ROTATION = [
  {
    mechanism: 'waiting for open attempts',
    without: 'a shop counts as moved to a new client secret while a request with the old one may arrive',
    file: `${ROTATION}/pinning.ts`,
    replace: [["<= lateRequestMs)) return 'open'", "< 0)) return 'open'"]],
    test: {
      file: TESTS,
      group: 'repinning all shops',
      title:
        'waits for a request that may still bring older tokens, and renews the shop once it cannot arrive any more',
    },
    failure: 'Expected: > 75000',
  },
  {
    mechanism: 'settling of two runs',
    without: 'a shop counts as moved though its living refresh token may be one of the old client secret',
    file: `${ROTATION}/pinning.ts`,
    replace: [['|| record.alternates.length > 0 ?', '?']],
    test: {
      file: TESTS,
      group: 'repinning all shops',
      title: 'renews a shop once more whose row holds the refresh tokens of two runs',
    },
    failure: 'alternates',
  },
  {
    mechanism: 'another look at all shops',
    without: 'shops that were installed behind the first look keep the old client secret',
    file: `${ROTATION}/repin-run.ts`,
    replace: [['if (renewed === 0 && !isTriedAgain) return', 'return']],
    test: {
      file: TESTS,
      group: 'repinning all shops',
      title: 'renews a shop that a process with the old secret installs behind its back',
    },
    failure: 'repinned',
  },
  {
    mechanism: 'a mark takes the secret',
    without: 'a marked shop is nobody’s once the client secret that minted its tokens is forgotten',
    file: 'packages/core/src/renewal/verdicts.ts',
    replace: [['    secretId,\n    mark:', '    mark:']],
    test: {
      file: TESTS,
      group: 'a shop that could not be repinned, once the old secret is forgotten everywhere',
      title: 'is revived by its merchant when Shopify had ended its tokens',
    },
    failure: 'AdminResponseError',
  },
]
