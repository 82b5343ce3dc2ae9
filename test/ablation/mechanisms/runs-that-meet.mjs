// What keeps pairs alive when runs of different processes, removals and late requests meet on one row.

const RENEWAL = 'packages/core/src/renewal'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const RUNS_THAT_MEET = [
  {
    mechanism: 'compare-and-set',
    without: 'a conflict is permission to write over what stands there',
    file: `${RENEWAL}/store-calls.ts`,
    replace: [
      [
        '() => this.#store.put(key, record, expected)',
        `async () => {
      const result = await this.#store.put(key, record, expected)
      return result.outcome === 'written' ? result : this.#store.put(key, record, result.present.version)
    }`,
      ],
    ],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a run that conflicts with another',
      title: 'begins again at the row when its attempt loses',
    },
    failure: 'Expected: "shpat_fake',
  },
  {
    mechanism: 'merge',
    without: 'the last write wins',
    file: `${RENEWAL}/merge.ts`,
    replace: [['...joined(minted, record, present)', '...record']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a run that conflicts with another',
      title: 'keeps the refresh tokens of both, and both processes go on',
    },
    failure: 'Expected: "shprt_fake',
  },
  {
    mechanism: 'adoption',
    without: 'a row that holds the pair already is merged with it once more',
    file: `${RENEWAL}/merge.ts`,
    replace: [['const holder = holderOf(minted, present)', 'const holder = null as ReturnType<typeof holderOf>']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a put that fails',
      title: 'is not repeated when the row turns out to hold the pair already',
    },
    failure: 'Expected: 2',
  },
  {
    mechanism: 'predecessor',
    without: 'the refresh token presented is forgotten once it has brought a pair',
    file: `${RENEWAL}/new-record.ts`,
    replace: [["predecessor: grant === 'refresh' ? presented : null", 'predecessor: null']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a pair whose lifetime cannot be believed',
      title:
        'may be retired by the late request of an earlier run before it is confirmed: its predecessor brings the next',
    },
    failure: '"reason": "refresh-token-rejected"',
  },
  {
    mechanism: 'the reading before the request',
    without: 'a merge compares the row with itself, and so drops the tokens that others have stored meanwhile',
    file: `${RENEWAL}/merge.ts`,
    replace: [['const read = candidates(minted.read)', 'const read = candidates(present)']],
    test: {
      file: 'test/core/merge.test.ts',
      group: 'a conflict',
      title: 'puts mine last of the alternates when the current token is new',
    },
    failure: '-   "N1"',
  },
  {
    mechanism: 'bound of candidates',
    without: 'a row keeps every refresh token that it ever met',
    file: `${RENEWAL}/merge.ts`,
    replace: [['const MAX_CANDIDATES = 8', 'const MAX_CANDIDATES = Infinity']],
    test: {
      file: 'test/core/merge.test.ts',
      group: 'a conflict',
      title: 'keeps eight candidates, dropping the alternates longest in the row',
    },
    failure: '+   "N1"',
  },
  {
    mechanism: 'lease',
    without: 'attempts of other runs make nobody wait',
    file: `${RENEWAL}/decide.ts`,
    replace: [['Math.abs(now - at) < leaseMs', 'false']],
    test: {
      file: 'test/core/renewal.test.ts',
      group: 'a token that has expired',
      title: 'is left to the process that announced itself first',
    },
    failure: 'Expected: 1',
  },
  {
    mechanism: 'settling of attempts',
    without: 'an attempt stays in the row for ever though no request of its run can arrive any more',
    file: `${RENEWAL}/merge.ts`,
    replace: [[' && at >= settledBefore', '']],
    test: {
      file: 'test/core/doubtful-pairs.test.ts',
      group: 'a run that conflicts with another',
      title: 'takes attempts out of the row once no request of theirs can arrive any more',
    },
    failure: '+     "id": "attempt-1"',
  },
  {
    mechanism: 'tombstone',
    without: 'a refresh that ends after the removal brings the shop back',
    file: `${RENEWAL}/merge.ts`,
    replace: [
      ["if (present?.kind === 'removed') {", "if (present?.kind === 'removed' && isAcquisition(minted.grant)) {"],
    ],
    test: {
      file: 'test/core/rejected-tokens.test.ts',
      group: 'a removal',
      title: 'during a refresh wins over the pair that the refresh brings',
    },
    failure: 'Received promise resolved instead of rejected',
  },
  {
    mechanism: 'removal margin',
    without: 'an acquisition counts as later than a removal only if its clock says so',
    file: `${RENEWAL}/uninstall-rule.ts`,
    replace: [['const REMOVAL_MARGIN_MS = 120_000', 'const REMOVAL_MARGIN_MS = 0']],
    test: {
      file: 'test/core/merge.test.ts',
      group: 'a tombstone',
      title: 'is written over by an acquisition answered later than two minutes before the removal',
    },
    failure: 'Expected: "put"',
  },
  {
    mechanism: 'deployment check',
    without: 'a copy of the database renews, and so retires the original’s refresh tokens',
    file: `${RENEWAL}/admission.ts`,
    replace: [['await this.#context.deployment.pass()', '']],
    test: {
      file: 'test/core/deployments.test.ts',
      group: 'the deployment that was named first',
      title: 'keeps a process with %s from calling Shopify and from writing',
    },
    failure: 'Received promise resolved instead of rejected',
  },
]
