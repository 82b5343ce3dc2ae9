// What an authorization keeps to, from the browser that begins it to the tokens that it brings.

const HTTP = 'packages/core/src/http'
const OAUTH = 'packages/core/src/oauth'

/** @type {readonly import('../ablations.mjs').Ablation[]} */
export const AUTHORIZATION = [
  {
    mechanism: 'state of this browser and shop',
    without: 'an authorization that was begun for one shop ends for another',
    file: `${HTTP}/complete-authorization.ts`,
    replace: [['if (pending?.shop !== shop) throw', 'if (pending === null) throw']],
    test: {
      file: 'test/core/auth-flow.test.ts',
      group: 'the callback',
      title: 'is refused when this browser has begun for another shop',
    },
    failure: '+     "flaw": "code"',
  },
  {
    mechanism: 'keys of its own',
    without: 'the app’s cookies are signed with the client secret itself, as webhooks are',
    file: `${OAUTH}/own-seal.ts`,
    replace: [["Buffer.from(hkdfSync('sha256', secret.reveal(), ", 'Buffer.from(((_: string) => secret.reveal())(']],
    test: {
      file: 'test/core/app-signatures.test.ts',
      group: 'what the app has sealed',
      title: 'is no signature of a webhook: the key is not the client secret',
    },
    failure: 'Expected: false',
  },
  {
    mechanism: 'both client secrets',
    without: 'what Shopify still signs with the old secret is refused while secrets are rotated',
    file: `${OAUTH}/app-signatures.ts`,
    replace: [['return this.#secrets.some(', 'return this.#secrets.slice(0, 1).some(']],
    test: {
      file: 'test/core/callback.test.ts',
      group: 'a callback that Shopify has signed',
      title: 'may be signed with the previous secret',
    },
    failure: 'The authorization callback was refused: signature.',
  },
  {
    mechanism: 'paths in every encoding',
    without: 'an address is judged as the framework has decoded it, and the browser decodes it once more',
    file: `${HTTP}/own-path.ts`,
    replace: [['if (decoded === layer) return true', 'return true']],
    test: {
      file: 'test/core/auth-flow.test.ts',
      group: 'the bounce page',
      title: 'is no way to what becomes another host when a browser decodes it once more',
    },
    failure: 'Expected: 400',
  },
  {
    mechanism: 'no circle for a scope',
    without: 'a merchant who has not granted a scope goes into the app, which sends them to authorize it again',
    file: `${HTTP}/complete-authorization.ts`,
    replace: [['if (missing.length > 0) throw', 'if (missing.length < 0) throw']],
    test: {
      file: 'test/core/auth-flow.test.ts',
      group: 'scopes that were asked for and not granted',
      title: 'end on a page instead of going round in circles',
    },
    failure: 'Received: "text/plain',
  },
  {
    mechanism: 'no circle for a session token',
    without: 'a wrong client secret sends every document to the bounce page and back for ever',
    file: `${HTTP}/error-reply.ts`,
    replace: [
      [
        "['missing', 'malformed', 'expired']",
        "['missing', 'malformed', 'expired', 'signature', 'audience', 'shop', 'not-yet-valid', 'refused']",
      ],
    ],
    test: {
      file: 'test/core/error-reply.test.ts',
      group: 'a document without a valid session token',
      title: 'goes nowhere when the next token would fail as well: %s',
    },
    failure: 'Expected: 401',
  },
]
