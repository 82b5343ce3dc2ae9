// What makes a webhook happen once.

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const DELIVERIES = [
  {
    mechanism: 'memory of deliveries',
    without: 'a webhook that is done runs again whenever it comes again',
    file: 'packages/core/src/http/webhook-receiver.ts',
    replace: [["if (state.outcome === 'done') return DONE", '']],
    test: {
      file: 'test/core/webhook-receiver.test.ts',
      group: 'a webhook that comes again',
      title: 'runs nothing once it is done, in whichever process',
    },
    failure: 'Expected number of calls: 0',
  },
  {
    mechanism: 'release of a delivery',
    without: 'a webhook whose handler has failed is left to the end of its claim',
    file: 'packages/core/src/http/webhook-receiver.ts',
    replace: [[': deliveries.release(key, state.claim)', ': Promise.resolve()']],
    test: {
      file: 'test/core/webhook-receiver.test.ts',
      group: 'a webhook that comes again',
      title: 'is run again after its handler has failed, and then not any more',
    },
    failure: 'Received: 503',
  },
  {
    mechanism: 'end of a claim',
    without: 'a webhook whose process has died is never run again',
    file: 'packages/core/src/memory/memory-delivery-log.ts',
    replace: [['entry !== undefined && now < entry.until', 'entry !== undefined']],
    test: {
      file: 'test/core/webhook-receiver.test.ts',
      group: 'a webhook that comes again',
      title: 'is run again when the process that was at it has died, as soon as its claim is over',
    },
    failure: 'Received: 503',
  },
  {
    mechanism: 'removal whatever the handler does',
    without: 'an app whose handler fails keeps the tokens of a shop that has uninstalled it',
    file: 'packages/core/src/http/webhook-receiver.ts',
    replace: [
      [
        'await attempt(() => work?.(tokens, delivery))',
        'handled === null ? await attempt(() => work?.(tokens, delivery)) : null',
      ],
    ],
    test: {
      file: 'test/core/webhook-receiver.test.ts',
      group: 'a failure',
      title: 'of the handler keeps the tokens of a shop that has uninstalled no longer',
    },
    failure: '"kind": "removed"',
  },
  {
    mechanism: 'scopes by webhook once a minute',
    without: 'whoever has one body has every shop renewed as often as he likes',
    file: 'packages/core/src/http/token-topics.ts',
    replace: [["if (outcome === 'run') await tokens.force(shop)", 'await tokens.force(shop)']],
    test: {
      file: 'test/core/webhook-receiver.test.ts',
      group: 'app/scopes_update',
      title: 'costs one renewal a minute, however often it is sent and in whosever name',
    },
    failure: 'deep equality',
  },
]
