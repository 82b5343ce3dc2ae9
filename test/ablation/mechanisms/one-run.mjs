// What one run keeps to, whether or not somebody else is about.

const RENEWAL = 'packages/core/src/renewal'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const ONE_RUN = [
  {
    mechanism: 'attempt',
    without: 'Shopify is called and the row says nothing of it',
    file: `${RENEWAL}/row.ts`,
    replace: [['await this.putForSure(announcement, snapshot.version, wasWritten)', 'snapshot.version as Version']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a token that has expired',
      title: 'announces the attempt in the row before Shopify is called',
    },
    failure: '+ Array []',
  },
  {
    mechanism: 'attempt found again',
    without: 'an attempt whose write was not answered counts as not written',
    file: `${RENEWAL}/row.ts`,
    replace: [['const isThere = ', 'const isThere = false && ']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a put that fails',
      title: 'of the attempt whose answer alone was lost is found in the row',
    },
    failure: 'The store did not answer',
  },
  {
    mechanism: 'attempt in doubt',
    without: 'the attempt of a request without an answer leaves the row like any other',
    file: `${RENEWAL}/row.ts`,
    replace: [['this.#unanswered.add(attemptId)', 'void attemptId']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'an outage of the token endpoint',
      title: 'lets a time-out leave the attempt in the row, because the request may still arrive',
    },
    failure: 'Expected length: 1',
  },
  {
    mechanism: 'withdrawal of attempts',
    without: 'a run that was answered leaves its attempt behind',
    file: `${RENEWAL}/row.ts`,
    replace: [['if ([...this.#own].every((id) => this.#unanswered.has(id))) return', 'if (this.#own.size > 0) return']],
    test: {
      file: 'test/core/courtesy-writes.test.ts',
      group: 'an attempt that has nothing left to say',
      title: 'is withdrawn although its withdrawal was overtaken',
    },
    failure: '+     "grant": "id-token"',
  },
  {
    mechanism: 'condensing of attempts',
    without: 'every run of an outage leaves its attempt in the row',
    file: `${RENEWAL}/row.ts`,
    replace: [
      [
        'condensed(datedBy(this.withoutAnswered(base), snapshot.now), snapshot.now, durations)',
        'this.withoutAnswered(base)',
      ],
    ],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'an outage of the token endpoint',
      title: 'leaves a row that does not grow with its length, and still tells what is in doubt',
    },
    failure: 'Expected length: 2',
  },
  {
    mechanism: 'lease before the first request',
    without: 'Shopify is called however little of the lease the write of the attempt has left',
    file: `${RENEWAL}/renewal-run.ts`,
    replace: [['if (leaseLeft > durations.requestTimeoutMs) return announced', 'return announced']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a token that has expired',
      title: 'is not renewed under a lease that would not outlast the request: the attempt is made anew',
    },
    failure: 'Expected: < 10000',
  },
  {
    mechanism: 'lease before a repetition',
    without: 'a request is repeated though the lease may end before its answer',
    file: `${RENEWAL}/present.ts`,
    replace: [[' || leaseLeft <= durations.requestTimeoutMs', '']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'an outage of the token endpoint',
      title: 'brings no request that the lease would not outlast',
    },
    failure: 'Expected number of calls: 2',
  },
  {
    mechanism: 'repetition with the same credential',
    without: 'a request without an answer is not repeated',
    file: `${RENEWAL}/present.ts`,
    replace: [['if (spent > durations.retryBudgetMs', 'if (requests > 0 || spent > durations.retryBudgetMs']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'an outage of the token endpoint',
      title: '%s are outlasted by repeating the same refresh token',
    },
    failure: 'TokenEndpointError',
  },
  {
    mechanism: 'no repetition of a code',
    without: 'an authorization code without an answer is sent again, like any other credential',
    file: `${RENEWAL}/present.ts`,
    replace: [["if (credential.grant === 'code') return { ...exchange, requests }", '']],
    test: {
      file: 'test/core/authorization-codes.test.ts',
      group: 'a code that was sent',
      title: 'and turned away with 429 leaves no doubt, and is never sent again',
    },
    failure: 'Received promise resolved',
  },
  {
    mechanism: 'claim of a code',
    without: 'whoever has an authorization code sends it, whether or not somebody has sent it before',
    file: `${RENEWAL}/code-claim.ts`,
    replace: [['throw this.refused()\n', "return { grant: 'code', value: this.#code }\n"]],
    test: {
      file: 'test/core/authorization-codes.test.ts',
      group: 'a code that was sent',
      title: 'is not sent again %s',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'confirmation of a replay',
    without: 'the lifetime of an answer is believed although an earlier run had presented the credential',
    file: `${RENEWAL}/row.ts`,
    replace: [['isPredecessor || others.some((other) => other.credential === credential)', 'false']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a pair whose lifetime cannot be believed',
      title: 'may be the replay of what an earlier run never got: renewed once more',
    },
    failure: '-   "confirm"',
  },
  {
    mechanism: 'confirmation of a lifetime',
    without: 'a pair without a credible lifetime is kept as it came',
    file: `${RENEWAL}/new-record.ts`,
    replace: [['tokens.lifetimeMs === null || lifetimeMs < durations.minRemainingMs || ', '']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a pair whose lifetime cannot be believed',
      title: 'is stored and renewed once more at once: %s',
    },
    failure: 'Expected: 2',
  },
  {
    mechanism: 'put retry',
    without: 'a pair whose put fails once is given up',
    file: `${RENEWAL}/keep-pair.ts`,
    replace: [['unstored.set(shop, record)', 'throw error']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a put that fails',
      title: 'is repeated while the new token is served from memory',
    },
    failure: 'The store did not answer',
  },
  {
    mechanism: 'early renewal of a repeated acquisition',
    without: 'a pair that took two acquisitions waits for its own end',
    file: `${RENEWAL}/new-record.ts`,
    replace: [[' && minting.requests > 1', ' && minting.requests < 1']],
    test: {
      file: 'test/core/terminal-answers.test.ts',
      group: 'a merchant who is there',
      title: 'has a pair that took two requests renewed soon, while a late first request can still show itself',
    },
    failure: 'Expected: 75000',
  },
  {
    mechanism: 'early look kept by others',
    without: 'who renews in between plans the next renewal as if no late acquisition could arrive any more',
    file: `${RENEWAL}/schedule.ts`,
    replace: [['return isPlanned ? Math.min(other.renewAt, due.renewAt) : due.renewAt', 'return due.renewAt']],
    test: {
      file: 'test/core/new-record.test.ts',
      group: 'an early look that the pair before had planned, because a lost acquisition may still arrive',
      title: 'stays planned',
    },
    failure: 'Expected: 1795176065000',
  },
  {
    mechanism: 'unreadable is not absent',
    without: 'a row whose seal does not open counts as no row',
    file: 'packages/core/src/sealed-store.ts',
    replace: [['record: await this.#opened(key, record)', 'record: await this.#opened(key, record).catch(() => null)']],
    test: {
      file: 'test/core/courtesy-writes.test.ts',
      group: 'a run that cannot be served by the store',
      title: 'fails loudly when the row cannot be opened, and touches nothing',
    },
    failure: '-   "code": "ERR_STORE_UNREADABLE"',
  },
  {
    mechanism: 'one key for attempt and pair',
    without: 'the pair is sealed with the key that the ring names by then',
    file: 'packages/core/src/sealed-store.ts',
    replace: [['this.#provenFor(name, record, expected) ?? ', '']],
    test: {
      file: 'test/core/sealed-store.test.ts',
      group: 'the key of an attempt',
      title: 'seals the pair that follows, though the ring has a new key by then',
    },
    failure: '+   "k2"',
  },
]
