// What keeps shops alive that nobody visits, and leaves the others alone.

const SCHEDULE = 'packages/core/src/renewal/schedule.ts'
const SWEEP_TESTS = 'test/core/sweep.test.ts'
const TIMER_TESTS = 'test/core/keep-alive.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const KEEP_ALIVE = [
  {
    mechanism: 'age of a refresh token',
    without: 'an idle shop is found when its refresh token has ended',
    file: SCHEDULE,
    replace: [['const age = record.obtainedAt + keepAliveMs', 'const age = record.refreshTokenExpiresAt']],
    test: {
      file: 'test/core/schedule.test.ts',
      group: 'sweepAtOf',
      title: 'is for a pair the age at which an idle shop is renewed',
    },
    failure: 'Expected: ',
  },
  {
    mechanism: 'doubts are settled soon',
    without: 'a row that leaves in doubt which refresh token lives waits like any other',
    file: SCHEDULE,
    replace: [['return settledBy === null ? age : Math.min(age, settledBy)', 'return age']],
    test: { file: SWEEP_TESTS, group: 'a doubt', title: 'that %s leaves is settled within a day' },
    failure: 'Expected: ',
  },
  {
    mechanism: 'age of a doubt',
    without: 'every write of a row puts off the visit that settles its doubt',
    file: SCHEDULE,
    replace: [['return since.length === 0 ? null : Math.min(now, ...since)', 'return since.length === 0 ? null : now']],
    test: { file: SWEEP_TESTS, group: 'a doubt', title: 'is not put off by visits that fail' },
    failure: 'toMatchObject',
  },
  {
    mechanism: 'end of the daily tries',
    without: 'a marked shop whose refresh token has ended is visited by every sweep',
    file: SCHEDULE,
    replace: [
      ['return Math.max(next, now) < endOf(record) ? next : null', 'return next < endOf(record) ? next : null'],
    ],
    test: {
      file: SWEEP_TESTS,
      group: 'a marked shop',
      title: 'is not visited any more once its refresh token has ended, however long nobody swept',
    },
    failure: 'deep equality',
  },
  {
    mechanism: 'visits after the cool-down',
    without: 'a sweep visits a shop that cools down, and nothing comes of it',
    file: SCHEDULE,
    replace: [['return at !== null && isPaused ? Math.max', 'return at !== null && isPaused && now < 0 ? Math.max']],
    test: {
      file: SWEEP_TESTS,
      group: 'a failure',
      title: 'leaves the shop alone for its cool-down, and not for longer',
    },
    failure: 'Expected: ',
  },
  {
    mechanism: 'patience with shops that stay frozen',
    without: 'every frozen shop costs a call an hour for as long as its refresh token lives',
    file: SCHEDULE,
    replace: [['return failures < MANY_FAILURES || isUrgent', 'return failures > 0 || isUrgent']],
    test: {
      file: SWEEP_TESTS,
      group: 'a failure',
      title: 'that lasts costs one call a day, and more only when the end is near',
    },
    failure: 'Expected: 3',
  },
  {
    mechanism: 'visits in spite of a clock far ahead',
    without: 'what one process with a wrong clock has stored is swept when the refresh token has long ended',
    file: 'packages/core/src/renewal/row.ts',
    replace: [['sweepAt - time.perhapsAheadMs', 'sweepAt']],
    test: {
      file: SWEEP_TESTS,
      group: 'clocks that are wrong',
      title: 'far ahead let the sweep come early rather than after the refresh token’s end',
    },
    failure: 'Expected: < 5000',
  },
  {
    mechanism: 'putting off what needs nothing',
    without: 'a row that the sweep has found, and that needs nothing, is found by every sweep',
    file: 'packages/core/src/renewal/put-off.ts',
    replace: [['if (record === null || version ===', 'if (now > 0 || record === null || version ===']],
    test: {
      file: SWEEP_TESTS,
      group: 'a sweep',
      title: 'answers a question that needs no answer any more, and asks Shopify for nothing',
    },
    failure: 'deep equality',
  },
  {
    mechanism: 'a row that this process must not renew stays due',
    without: 'a process with an old client secret puts off what the others have to renew',
    file: 'packages/core/src/renewal/renewal-run.ts',
    replace: [["if (decision.error.code === 'ERR_REAUTHORIZATION_REQUIRED') await", 'await']],
    test: {
      file: SWEEP_TESTS,
      group: 'a shop that was asked for',
      title: 'stays asked for while this process must not renew it',
    },
    failure: 'Expected: ',
  },
  {
    mechanism: 'a look of its own at a due shop',
    without: 'a sweep takes the outcome of a run that was about something else',
    file: 'packages/core/src/create-token-manager.ts',
    replace: [
      [
        "const flight = await untilAborted(this.#gate.alone(shop, { trigger: 'keep-alive' }), signal)",
        "const { flight } = this.#gate.share(shop, { trigger: 'keep-alive' })",
      ],
    ],
    test: {
      file: SWEEP_TESTS,
      group: 'a sweep',
      title: 'renews a shop though a run under way, about something else, finds that its token serves',
    },
    failure: 'deep equality',
  },
  {
    mechanism: 'rate of a sweep',
    without: 'a sweep calls Shopify as fast as it can',
    file: 'packages/core/src/keep-alive/sweep-run.ts',
    replace: [['await this.#pace.turn(this.#stop)', '']],
    test: {
      file: SWEEP_TESTS,
      group: 'a sweep',
      title: 'begins as many renewals a second as it was told, evenly spaced',
    },
    failure: 'deep equality',
  },
  {
    mechanism: 'one shop’s failure is its own',
    without: 'the first shop that cannot be renewed ends the sweep',
    file: 'packages/core/src/keep-alive/sweep-run.ts',
    replace: [['|| endsAll(error)) throw error', '|| error.code.length > 0) throw error']],
    test: { file: SWEEP_TESTS, group: 'a failure', title: 'of one shop is named, and no other shop’s' },
    failure: 'TokenEndpointError',
  },
  {
    mechanism: 'chance in the timer',
    without: 'processes that were started together sweep together',
    file: 'packages/core/src/keep-alive/keep-alive.ts',
    replace: [['let pauseMs = firstWithinMs * random();', 'let pauseMs = firstWithinMs / 2;']],
    test: {
      file: TIMER_TESTS,
      group: 'the timer',
      title: 'spreads processes that were started together (chance %d)',
    },
    failure: 'toBeCloseTo',
  },
  {
    mechanism: 'a sweep that failed is followed by another',
    without: 'a moment without the database is the end of the timer',
    file: 'packages/core/src/keep-alive/keep-alive.ts',
    replace: [['this.#tell(rounds, error)', 'this.#tell(rounds, error)\n        return']],
    test: {
      file: TIMER_TESTS,
      group: 'the timer',
      title: 'tells once of a store that fails, goes on, and tells again when it has failed anew',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'slow shops hold up no others that were asked for',
    without: 'those who wait for one shop wait for Shopify’s answer about another',
    file: 'packages/core/src/keep-alive/asked-shops.ts',
    replace: [
      [
        'this.#underWay.set(key.shop, this.#renew(key.shop))',
        'this.#underWay.set(key.shop, this.#renew(key.shop))\n      await this.#underWay.get(key.shop)',
      ],
    ],
    test: {
      file: TIMER_TESTS,
      group: 'shops that were asked for',
      title: 'do not wait for each other: one that Shopify is slow to answer for holds up no other',
    },
    failure: 'deep equality',
  },
  {
    mechanism: 'keeping alive by default',
    without: 'an app that does nothing about idle shops loses them',
    file: 'packages/core/src/http/keep-alive-option.ts',
    replace: [["return renewal === 'hybrid' ? {} : null", 'return null']],
    test: {
      file: 'test/core/request-tokens.test.ts',
      group: 'keeping shops alive',
      title: 'is the default of an app whose manager is opened for it',
    },
    failure: 'Expected: 2',
  },
]
