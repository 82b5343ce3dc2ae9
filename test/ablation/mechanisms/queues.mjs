// What keeps jobs of a queue from being lost, done for ever, or done faster than they may.

const BULLMQ = 'packages/bullmq/src'
const JOB_RUN = 'test/bullmq/job-run.test.ts'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const QUEUES = [
  {
    mechanism: 'delay instead of an attempt',
    without: 'a job loses its attempts while its shop is cooling down',
    file: `${BULLMQ}/verdict.ts`,
    replace: [['if (waitMs === undefined || delays >= maxDelays)', 'if (waitMs !== 0)']],
    test: {
      file: JOB_RUN,
      group: 'a job whose shop is to be left alone',
      title: 'is delayed for as long, which is no attempt',
    },
    failure: '"name": "DelayedError"',
  },
  {
    mechanism: 'pauses of jobs that grow',
    without: 'jobs of a shop that is told to come again at once come every second',
    file: `${BULLMQ}/verdict.ts`,
    replace: [['Math.max(waitMs, delayMsOf(delays))', 'Math.max(waitMs, FIRST_DELAY_MS)']],
    test: {
      file: JOB_RUN,
      group: 'a job whose shop is to be left alone',
      title: 'is delayed for longer each time, up to five minutes',
    },
    failure: '-   2000',
  },
  {
    mechanism: 'end of delays',
    without: 'a job whose shop never comes back is put off for ever',
    file: `${BULLMQ}/verdict.ts`,
    replace: [[' || delays >= maxDelays', '']],
    test: {
      file: JOB_RUN,
      group: 'a job whose shop is to be left alone',
      title: 'is not delayed for ever',
    },
    failure: 'DelayedError',
  },
  {
    mechanism: 'jobs given back',
    without: 'a process that is ending gives up the jobs that it has in hand',
    file: `${BULLMQ}/verdict.ts`,
    replace: [["return code === 'ERR_CLOSED' || ", 'return ']],
    test: {
      file: JOB_RUN,
      group: 'a job whose shop is to be left alone',
      title: 'is given back by a process that ends, and not given up',
    },
    failure: '"name": "DelayedError"',
  },
  {
    mechanism: 'jobs given up at once',
    without: 'a job whose shop needs its merchant is tried until it has no attempt left',
    file: `${BULLMQ}/verdict.ts`,
    replace: [["return { outcome: 'discard', error }", "return { outcome: 'fail' }"]],
    test: {
      file: JOB_RUN,
      group: 'a job that no repetition mends',
      title: 'is given up, whatever attempts it has left',
    },
    failure: '"name": "UnrecoverableError"',
  },
  {
    mechanism: 'nobody unheard',
    without: 'a job is given up although whoever was to hear of it could not',
    file: `${BULLMQ}/job-run.ts`,
    replace: [['if (delays < this.#settings.maxDelays) return', 'if (delays < 0) return']],
    test: {
      file: JOB_RUN,
      group: 'a job that no repetition mends',
      title: 'is given up only when somebody has heard of it',
    },
    failure: '"name": "DelayedError"',
  },
  {
    mechanism: 'checkpoint under the lock',
    without: 'a worker that wakes up late puts its job back to where it was when it fell asleep',
    file: `${BULLMQ}/job-checkpoint.ts`,
    replace: [['      await keepJob(job, lockDurationMs)\n', '']],
    test: {
      file: JOB_RUN,
      group: 'the checkpoint of a job',
      title: 'is saved by nobody whose lock has ended',
    },
    failure: 'Received promise resolved',
  },
  {
    mechanism: 'one job for a shop',
    without: 'every plan adds a job for every shop that is still due',
    file: `${BULLMQ}/fleet/fleet-queue.ts`,
    replace: [['    deduplication: { id: `${work}:${shop}` },\n', '']],
    test: {
      file: JOB_RUN,
      group: 'a plan',
      title: 'names each job after its shop and work, so that there is never a second one',
    },
    failure: '"id": "asked:shop-0.myshopify.com"',
  },
  {
    mechanism: 'division of the second',
    without: 'twice as many jobs as allowed begin around the end of a count',
    file: `${BULLMQ}/fleet/fleet-limiter.ts`,
    replace: [
      ['return { max, duration: Math.ceil(SECOND_MS / parts) }', 'return { max: max * parts, duration: SECOND_MS }'],
    ],
    test: {
      file: 'test/bullmq/fleet-limiter.test.ts',
      group: 'the limiter of a fleet',
      title: 'lets no second see more than the rate, with all jobs that were in hand before it',
    },
    failure: 'Expected: <=',
  },
  {
    mechanism: 'room for jobs in hand',
    without: 'requests of jobs that began before the second are added to those of the second',
    file: `${BULLMQ}/fleet/fleet-limiter.ts`,
    replace: [['const begun = perSecond - inFlight', 'const begun = perSecond - inFlight * 0']],
    test: {
      file: 'test/bullmq/fleet-limiter.test.ts',
      group: 'the limiter of a fleet',
      title: 'lets no second see more than the rate, with all jobs that were in hand before it',
    },
    failure: 'Expected: <=',
  },
]
