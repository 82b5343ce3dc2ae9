// What a shop on a non-expiring token needs, until it has a pair.

const DECIDE = 'packages/core/src/renewal/decide.ts'
const TOKEN_REFUSAL = 'packages/core/src/admin/token-refusal.ts'
const FILE = 'test/core/migration.test.ts'
const VERB = 'test/core/migration-verb.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const MIGRATIONS = [
  {
    mechanism: 'migration on the 403',
    without: 'a request with a non-expiring token ends with the 403',
    file: TOKEN_REFUSAL,
    replace: [['response.status === 403 &&', 'response.status === 499 &&']],
    test: {
      file: FILE,
      group: 'the 403 with which Shopify refuses non-expiring tokens',
      title: 'has the token exchanged for a pair, and the request is answered',
    },
    failure: 'Expected: 200',
  },
  {
    mechanism: 'no other 403',
    without: 'a missing scope has the token exchanged, which cannot be undone',
    file: TOKEN_REFUSAL,
    replace: [['errors.includes(NON_EXPIRING)', 'errors.includes("")']],
    test: {
      file: FILE,
      group: 'any other refusal',
      title: 'for a missing scope is the answer, and migrates nobody',
    },
    failure: '"tokenCalls": 0',
  },
  {
    mechanism: 'migration before acquisition',
    without: 'a merchant who is there has a pair acquired where an exchange would do',
    file: DECIDE,
    replace: [
      ['if (want.unexchangeable?.token === record.accessToken) return false', 'if (want.idToken) return false'],
    ],
    test: {
      file: FILE,
      group: 'the 403 with which Shopify refuses non-expiring tokens',
      title: 'comes first when the merchant is there: nothing is acquired',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'attempt of an unheard migration',
    without: 'the row forgets a migration that may have ended its token',
    file: 'packages/core/src/renewal/present.ts',
    replace: [['if (!answer.conclusive) row', "if (!answer.conclusive && credential.grant !== 'migration') row"]],
    test: {
      file: FILE,
      group: 'a migration whose answer is lost',
      title: 'again and again leaves its attempt, and the token as it is',
    },
    failure: 'ObjectContaining',
  },
  {
    mechanism: 'begun migration on 401',
    without: 'a token that a migration has ended marks the shop, though the pair can be had again',
    file: DECIDE,
    replace: [['(want.migrate === true || isMigrationBegun(record))', 'want.migrate === true']],
    test: {
      file: FILE,
      group: 'a migration that nobody reported back from',
      title: 'is made again when Shopify refuses the token with 401, and brings the same pair, which is confirmed',
    },
    failure: 'ReauthorizationRequiredError',
  },
  {
    mechanism: 'begun migration in the sweep',
    without: 'nobody makes it again before the seven days are over',
    file: DECIDE,
    replace: [["(want.trigger === 'keep-alive' && isSweepDue(record, now))\n", 'false\n']],
    test: {
      file: FILE,
      group: 'a migration that nobody reported back from',
      title: 'is made again by the sweep, within a day',
    },
    failure: '"renewed": 1',
  },
  {
    mechanism: 'attempts tell of their own token',
    without: 'another token’s migration has this one exchanged',
    file: 'packages/core/src/renewal/begun-migration.ts',
    replace: [[' && credential === fingerprint(record.accessToken)', ' && credential !== fingerprint("")']],
    test: {
      file: FILE,
      group: 'a migration that nobody reported back from',
      title: 'of another token leaves the token on record alone',
    },
    failure: '"renewed": 0',
  },
  {
    mechanism: 'daily try of a token without exchange',
    without: 'every refused request has Shopify asked once more',
    file: DECIDE,
    replace: [['const mayBeTried = record.mark === null ||', 'const mayBeTried = record !== null ||']],
    test: {
      file: FILE,
      group: 'a token that Shopify exchanges for nothing',
      title: 'is tried again once a day, however many requests Shopify refuses',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'mark of a refused token waits for others',
    without: 'a shop is marked while an acquisition may bring a token',
    file: DECIDE,
    replace: [["'grow', 'request', 'mark'])", "'grow', 'request'])"]],
    test: {
      file: FILE,
      group: 'any other refusal',
      title: 'with 401 marks nobody while another run may bring a token',
    },
    failure: 'Expected: >= 15000',
  },
  {
    mechanism: 'pause after a migration in vain',
    without: 'each refused request exchanges one non-expiring token for the next',
    file: 'packages/core/src/renewal/mint.ts',
    replace: [['const isInVain = credential', 'const isInVain = trigger === undefined && credential']],
    test: {
      file: FILE,
      group: 'a migration that brings a token without an end',
      title: 'is whole: the token is stored, and left alone for a while',
    },
    failure: '"failures": 1',
  },
  {
    mechanism: 'no exchange is no verdict',
    without: 'migrate() answers with a token that it could not exchange',
    file: DECIDE,
    replace: [['if (!refused && verdict !== null) return', 'if (!refused && verdict !== null && refused) return']],
    test: {
      file: VERB,
      group: 'migrate()',
      title: 'marks nobody whose token is exchanged for nothing: it may work on (%s)',
    },
    failure: 'Received promise resolved instead of rejected',
  },
  {
    mechanism: 'migrate() waits for others',
    without: 'it answers with the token that another process is about to end',
    file: 'packages/core/src/renewal/want.ts',
    replace: [[' && !isToBeMigrated(record, want)', '']],
    test: {
      file: VERB,
      group: 'migrate()',
      title: 'waits for the other process that is at it, although the token would serve',
    },
    failure: 'toBe(expected)',
  },
  {
    mechanism: 'a merchant’s non-expiring token stays',
    without: 'a pair that it may have ended is written over it',
    file: 'packages/core/src/renewal/merge.ts',
    replace: [['!isSameToken(present, read) ? present : null', 'read === undefined ? present : null']],
    test: {
      file: 'test/core/merge.test.ts',
      group: 'a non-expiring token that somebody has brought meanwhile',
      title: 'stays: nothing has ended it, and it may have ended the pair by %s',
    },
    failure: 'non-expiring',
  },
]
