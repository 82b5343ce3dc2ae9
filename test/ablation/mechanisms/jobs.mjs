// What lets a job outlive its process and its tokens.

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const JOBS = [
  {
    mechanism: 'checkpoint behind the chunk',
    without: 'a chunk counts as done before its work has begun',
    file: 'packages/core/src/jobs/resumable.ts',
    replace: [
      ['    if (chunk !== undefined) yield chunk.page\n', ''],
      [
        'await checkpoint.save({ position, finished })',
        'await checkpoint.save({ position, finished })\n    if (chunk !== undefined) yield chunk.page',
      ],
    ],
    test: {
      file: 'test/core/resumable.test.ts',
      group: 'a chunk that is not done',
      title: 'comes again after its process has died, and no other does',
    },
    failure: '-     "line 3"',
  },
  {
    mechanism: 'memory of finished jobs',
    without: 'a job that is done asks for its next chunk whenever it is called',
    file: 'packages/core/src/jobs/resumable.ts',
    replace: [['while (!finished) {', 'finished = false\n  while (!finished) {']],
    test: {
      file: 'test/core/resumable.test.ts',
      group: 'a job',
      title: 'that is finished does nothing, until its progress is forgotten',
    },
    failure: '- Array []',
  },
  {
    mechanism: 'cursors that move',
    without: 'a query that forgets its cursor gives the same page for ever',
    file: 'packages/core/src/jobs/pages-of.ts',
    replace: [['if (hasNextPage && endCursor === after) {', 'if (hasNextPage && endCursor === after && false) {']],
    test: {
      file: 'test/core/resumable-pages.test.ts',
      group: 'a query that',
      title: 'gives its connection no cursor is refused, instead of going round in circles',
    },
    failure: 'Received promise resolved instead of rejected',
  },
  {
    mechanism: 'tokens of the moment in other clients',
    without: 'a client sends the access token that it was built with',
    file: 'packages/core/src/admin/admin-fetch.ts',
    replace: [['return tokens.forShop(shop).fetch(address, ', 'return elsewhere(input, init) || void (']],
    test: {
      file: 'test/core/admin-fetch.test.ts',
      group: 'a call of the Admin API',
      title: 'works for a day, through one function',
    },
    failure: '"200": 24',
  },
  {
    mechanism: 'token endpoint without our tokens',
    without: 'grants that a client asks for carry an access token, and wait for one',
    file: 'packages/core/src/admin/admin-fetch.ts',
    replace: [[' && pathname !== TOKEN_ENDPOINT', '']],
    test: {
      file: 'test/core/admin-fetch.test.ts',
      group: 'anything else',
      title: 'needs no token: least of all the token endpoint, which takes none',
    },
    failure: 'ReauthorizationRequiredError',
  },
]
