// What keeps processes that only read from renewing, and from asking more than once.

const ELSEWHERE_RUN = 'packages/core/src/renewal/elsewhere-run.ts'
const READING = 'test/core/roles.test.ts'
const CLOCKS = 'test/core/roles-clocks.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const ROLES = [
  {
    mechanism: 'renewal left to others',
    without: 'a process that only reads calls the token endpoint',
    file: 'packages/core/src/renewal/gate.ts',
    replace: [
      [
        'const Run = this.#context.renewsElsewhere ? ElsewhereRun : RenewalRun',
        'const Run = this.#context.renewsElsewhere && shop === undefined ? ElsewhereRun : RenewalRun',
      ],
    ],
    test: {
      file: READING,
      group: 'a token inside its renewal window',
      title: 'is served at once and asked for, once however many requests come',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'verbs refused where nothing is renewed',
    without: 'a process that only reads renews when it is told to',
    file: 'packages/core/src/create-token-manager.ts',
    replace: [
      [
        "if (this.#settings.renewal === 'never') throw new InvalidOptionError(RENEWS_ELSEWHERE",
        "if (this.#settings.clientId === '') throw new InvalidOptionError(RENEWS_ELSEWHERE",
      ],
    ],
    test: {
      file: 'test/core/roles-refusals.test.ts',
      group: 'a process that only reads',
      title: 'refuses %s, by name',
    },
    failure: 'rejects',
  },
  {
    mechanism: 'one question',
    without: 'every look of every process at a token that is due costs a write',
    file: ELSEWHERE_RUN,
    replace: [['if (snapshot.askedAt !== null || ', 'if (']],
    test: {
      file: READING,
      group: 'a token inside its renewal window',
      title: 'is served at once and asked for, once however many requests come',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'no question in vain',
    without:
      'shops that nobody can renew at present, or that somebody is renewing, are asked for and looked at without end',
    file: ELSEWHERE_RUN,
    replace: [
      [' || record.mark !== null) return', ') return'],
      ['if (this.#restOf(snapshot, record).rest !== null) return', ''],
      [
        'if (othersUnderWay(snapshot, NOBODY, durations).length > 0) return',
        'void [othersUnderWay, NOBODY, durations]',
      ],
    ],
    test: {
      file: READING,
      group: 'a token inside its renewal window',
      title: 'is not asked for while its shop %s: that would be in vain',
    },
    failure: 'Expected: 0',
  },
  {
    mechanism: 'the token before the question',
    without: 'a request with a token that lives waits for a store that is slow to write',
    file: ELSEWHERE_RUN,
    replace: [['this.#offer(record)', '']],
    test: {
      file: READING,
      group: 'a token inside its renewal window',
      title: 'is served whatever becomes of the question: %s',
    },
    failure: 'StoreUnavailableError',
  },
  {
    mechanism: 'no waiting for the end of a long cool-down',
    without: 'every request hangs for as long as it may, and fails all the same',
    file: ELSEWHERE_RUN,
    replace: [['if (rest !== null && rest.until - now > leftMs)', 'if (rest !== null && leftMs <= 0)']],
    test: {
      file: READING,
      group: 'a token that is over',
      title: 'ends at once where the shop cools down for longer than anybody waits',
    },
    failure: '"retryAfterMs": 60000',
  },
  {
    mechanism: 'end of the last pause',
    without: 'a request waits longer than it may, and gets the code of a lease',
    file: ELSEWHERE_RUN,
    replace: [['await this.#pauses.next(leftMs)', 'await this.#pauses.next()']],
    test: {
      file: READING,
      group: 'a token that is over',
      title: 'ends after waitMs with the documented code (%s store)',
    },
    failure: 'Expected: 9950',
  },
  {
    mechanism: 'the store’s clock as a second opinion',
    without: 'a reader whose clock is ahead fails every request while the token lives',
    file: ELSEWHERE_RUN,
    replace: [['if (time.isTold) return own', 'return own']],
    test: {
      file: CLOCKS,
      group: 'a reader whose clock is ahead',
      title: 'serves a token that is over by its own clock alone, and asks for nothing',
    },
    failure: 'RenewalElsewhereError',
  },
  {
    mechanism: 'Shopify’s time above the store’s',
    without: 'a reader that knows better believes a database whose clock is wrong',
    file: ELSEWHERE_RUN,
    replace: [['if (time.isTold) return own', '']],
    test: {
      file: CLOCKS,
      group: 'a reader that Shopify has told the time',
      title: 'does not believe a store whose clock is behind',
    },
    failure: 'resolved instead of rejected',
  },
]
