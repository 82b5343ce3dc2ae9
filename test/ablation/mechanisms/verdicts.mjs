// What must be known before a shop is marked, and what spares Shopify and the merchant.

const RENEWAL = 'packages/core/src/renewal'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const VERDICTS = [
  {
    mechanism: 'candidates',
    without: 'only the current refresh token of a row is ever presented',
    file: `${RENEWAL}/credentials-at-hand.ts`,
    replace: [['candidates(record).find(', '[record.refreshToken].find(']],
    test: {
      file: 'test/core/terminal-answers.test.ts',
      group: 'a refresh token that Shopify has ended',
      title: 'lets the other refresh tokens of the row be tried, once each, in order',
    },
    failure: 'ReauthorizationRequiredError',
  },
  {
    mechanism: 're-read after a terminal answer',
    without: 'the row is marked as it was first read, whatever stands there now',
    file: `${RENEWAL}/renewal-run.ts`,
    replace: [
      [
        'return this.#afterTerminal(answer, read.record)',
        'return this.#mark({ ...(await this.#row.get()), record: announced.record }, MARK_REASONS[answer.reason])',
      ],
    ],
    test: {
      file: 'test/core/terminal-answers.test.ts',
      group: 'a refresh token that Shopify has ended',
      title: 'is no verdict when another process has renewed meanwhile: its token is served',
    },
    failure: 'ReauthorizationRequiredError',
  },
  {
    mechanism: 'mark waits for others',
    without: 'a shop is marked while another run may still bring a pair',
    file: `${RENEWAL}/renewal-run.ts`,
    replace: [['} else if (othersUnderWay(snapshot, this.#row.own, durations).length > 0) {', '} else if (false) {']],
    test: {
      file: 'test/core/terminal-answers.test.ts',
      group: 'a refresh token that Shopify has ended',
      title: 'is no verdict while another run holds an open attempt: this one waits for it',
    },
    failure: 'Expected: > 14000',
  },
  {
    mechanism: 'fleet watch',
    without: 'every shop of a restored database is marked',
    file: `${RENEWAL}/verdicts.ts`,
    replace: [['!fleet.dies(shop)', 'fleet === null']],
    test: {
      file: 'test/core/fleet-watch.test.ts',
      group: 'an old database that was restored',
      title: 'marks at most five shops, tells once, and marks again when the share has fallen',
    },
    failure: 'Expected: >= 45',
  },
  {
    mechanism: 'daily try of a marked shop',
    without: 'a mark is final until the merchant comes',
    file: `${RENEWAL}/schedule.ts`,
    replace: [['return now >= triedAt + markedRetryMs || isAhead(triedAt, now)', 'return triedAt > Infinity']],
    test: {
      file: 'test/core/wrong-clocks.test.ts',
      group: 'a row written under a clock that was ahead',
      title: 'has its mark tried again',
    },
    failure: 'ReauthorizationRequiredError',
  },
  {
    mechanism: 'refresh before acquisition',
    without: 'a merchant who is there has the pair replaced though it may live',
    file: `${RENEWAL}/decide.ts`,
    replace: [['want.acquire === true && isMerchantThere(want)', 'isMerchantThere(want)']],
    test: {
      file: 'test/core/terminal-answers.test.ts',
      group: 'a merchant who is there',
      title: 'is not asked while the pair may live: refresh comes first',
    },
    failure: '+   "granted": 0',
  },
  {
    mechanism: 'secret ids',
    without: 'a process with an older client secret renews what it does not know',
    file: `${RENEWAL}/decide.ts`,
    replace: [['!facts.knownSecretIds.has(record.secretId)', 'facts.knownSecretIds.size === 0']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a row minted with a client secret that this process does not know',
      title: 'is served while its token lives, and renewed by nobody here',
    },
    failure: 'Expected: 0',
  },
  {
    mechanism: 'cool-down',
    without: 'every request calls Shopify again while it cannot be reached',
    file: `${RENEWAL}/decide.ts`,
    replace: [['const coolDown = record?.coolDown ?? null', "const coolDown = null as TokenRecord['coolDown']"]],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'an outage of the token endpoint',
      title: 'makes nobody call Shopify while the shop cools down',
    },
    failure: '-   "code": "ERR_COOLING_DOWN"',
  },
  {
    mechanism: 'breaker',
    without: 'every shop calls an endpoint that is down for all of them',
    file: `${RENEWAL}/admission.ts`,
    replace: [['this.#context.breaker.pass(this.#key.shop)', '']],
    test: {
      file: 'test/core/breaker.test.ts',
      group: 'an endpoint that is down for all shops',
      title: 'is asked by one run in each pause, and by all as soon as it answers',
    },
    failure: 'Expected: 0',
  },
  {
    mechanism: 'cool-down of refused tokens',
    without: 'a 401 that no new token cures renews every time',
    file: `${RENEWAL}/decide.ts`,
    replace: [["if (record.mintedForRejected) return { do: 'pauseRejected', record }", '']],
    test: {
      file: 'test/core/rejected-tokens.test.ts',
      group: 'a token that looks valid and is refused with 401',
      title: 'comes back unchanged when the token minted for it is refused too',
    },
    failure: 'toBe(expected)',
  },
  {
    mechanism: 'a notice is given again when it failed',
    without: 'support was called once, and that is that',
    file: `${RENEWAL}/notices.ts`,
    replace: [
      [
        "if (!abandon.aborted) events.emit({ type: 'reauthorization.notifyFailed', shop })\n      return",
        "if (!abandon.aborted) events.emit({ type: 'reauthorization.notifyFailed', shop })",
      ],
    ],
    test: {
      file: 'test/core/notices.test.ts',
      group: 'a notice that fails',
      title: 'is given again when the shop is met a minute later: %s',
    },
    failure: '-   "notifiedAt": null',
  },
  {
    mechanism: 'removal is judged on the row that is removed',
    without: 'a late word of an uninstall removes what the shop has installed in between',
    file: 'packages/core/src/removal.ts',
    replace: [[';({ record, version } = result.present)', ';({ version } = result.present)']],
    test: {
      file: 'test/core/removal.test.ts',
      group: 'a shop that has installed the app again',
      title: 'between the judging and the tombstone keeps its new tokens',
    },
    failure: 'Expected: "kept"',
  },
]
