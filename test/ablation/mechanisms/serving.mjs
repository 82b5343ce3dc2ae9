// What holds inside one process, between its requests and its runs.

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const SERVING = [
  {
    mechanism: 'single flight',
    without: 'each caller begins a run of its own',
    file: 'packages/core/src/renewal/single-flight.ts',
    replace: [['const running = this.#flights.get(key)', 'const running = undefined as Flight<T> | undefined']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a token that has expired',
      title: 'is renewed once for a hundred callers, with one attempt and one pair written',
    },
    failure: 'Expected: 2',
  },
  {
    mechanism: 'clock correction',
    without: 'the machine’s clock is believed',
    file: 'packages/core/src/renewal/shopify-time.ts',
    replace: [['if (dateHeader === null) return', 'if (dateHeader === null || sentAt > 0) return']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'clocks that differ',
      title: 'a machine %d minutes off still counts from Shopify’s clock',
    },
    failure: 'Expected: < 5000',
  },
  {
    mechanism: 'two answers for a large step of the clock',
    without: 'one wrong Date is believed',
    file: 'packages/core/src/renewal/shopify-time.ts',
    replace: [['const believed = near(', 'const believed = true || near(']],
    test: {
      file: 'test/core/wrong-clocks.test.ts',
      group: 'one answer with an absurd Date',
      title: 'does not date a pair to %s',
    },
    failure: 'Expected: < 5000',
  },
  {
    mechanism: 'serving ahead of the end',
    without: 'a request waits for the renewal of a token that still lives',
    file: 'packages/core/src/serving/serving.ts',
    replace: [
      ['if (now > cached.usableUntil ||', 'if (now > cached.renewAt ||'],
      [
        'if (stored !== null) return',
        "if (stored !== null && (stored.kind !== 'expiring' || this.#time.now() < stored.renewAt)) return",
      ],
    ],
    test: {
      file: 'test/core/serving.test.ts',
      group: 'a token inside its renewal window',
      title: 'hands the renewal behind the request to the background hook',
    },
    failure: 'Expected length: 1',
  },
  {
    mechanism: 'unstored pairs',
    without: 'a pair that no store has taken yet is looked for in the store',
    file: 'packages/core/src/serving/serving.ts',
    replace: [
      ['const unstored = this.#unstored.get(shop)', 'const unstored = undefined as ServableRecord | undefined'],
    ],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a put that fails',
      title: 'leaves the new token to be had though the store is away and the cache has no room for it',
    },
    failure: '+   "status": "rejected"',
  },
  {
    mechanism: 'news of writes',
    without: 'what another process has announced waits until the cached token is old enough',
    file: 'packages/core/src/renewal/row-news.ts',
    replace: [['this.#onWrite(shop)', 'void shop']],
    test: {
      file: 'test/core/row-news.test.ts',
      group: 'a cached token whose row another process has written',
      title: 'is served once more and read again behind the request',
    },
    failure: 'toBe(expected)',
  },
  {
    mechanism: 'revalidation',
    without: 'a cached token is never read again before it is due',
    file: 'packages/core/src/serving/serving.ts',
    replace: [['else if (monotonic >= cached.revalidateAt)', 'else if (false)']],
    test: {
      file: 'test/core/serving.test.ts',
      group: 'a fresh token',
      title: 'is read again behind the request that finds it older than revalidateMs',
    },
    failure: 'Expected: "shpat_fake',
  },
  {
    mechanism: 'scopes beyond the cache',
    without: 'what the cached token lacks counts as not granted',
    file: 'packages/core/src/serving/serving.ts',
    replace: [['if (this.#unstored.has(shop)) throw lacking', 'if (shop.length > 0) throw lacking']],
    test: {
      file: 'test/core/scopes.test.ts',
      group: 'scopes that the cached token lacks',
      title: 'are found in the row: another process had them granted',
    },
    failure: 'ScopeMissingError',
  },
  {
    mechanism: 'scopes once a minute',
    without: 'every request that misses scopes has the shop’s refresh tokens retired',
    file: 'packages/core/src/renewal/credentials-at-hand.ts',
    replace: [['this.#context.grown.isDue(this.#key.shop)', 'true']],
    test: {
      file: 'test/core/scopes.test.ts',
      group: 'a merchant who has not granted more',
      title: 'has the token replaced once a minute at most, and served to callers without wishes',
    },
    failure: 'Expected: 1',
  },
]
