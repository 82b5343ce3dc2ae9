import { ENVIRONMENT_VARIABLES, InvalidOptionError, readEnvironment } from '@shopify-tokens/core'

const KEY = Buffer.alloc(32, 7).toString('base64')
const APP = { SHOPIFY_API_KEY: 'client-id', SHOPIFY_API_SECRET: 'shpss_planted' }
const POSTGRES = 'postgres://app:planted-password@db.internal:5432/tokens'
const PRODUCTION = {
  ...APP,
  NODE_ENV: 'production',
  SHOPIFY_TOKENS_DATABASE_URL: POSTGRES,
  SHOPIFY_TOKENS_SEALING_KEYS: `k1:${KEY}`,
}

describe('a database named in production', () => {
  it.each(['junk', '/var/lib/tokens.sqlite'])('is no mere word or path, which a slip of the pen is too: %s', (url) => {
    expect(() => readEnvironment({ ...PRODUCTION, SHOPIFY_TOKENS_DATABASE_URL: url })).toThrow(/sqlite:PATH/)
  })

  it('may be a file by its scheme', () => {
    const { database } = readEnvironment({
      ...PRODUCTION,
      SHOPIFY_TOKENS_DATABASE_URL: 'sqlite:/var/lib/tokens.sqlite',
    })
    expect(database).toEqual({ kind: 'embedded', file: '/var/lib/tokens.sqlite' })
  })
})

describe('an environment for development', () => {
  it('needs the client id and secret, and nothing else', () => {
    const configuration = readEnvironment(APP)

    expect(configuration).toMatchObject({
      clientId: 'client-id',
      previousClientSecret: undefined,
      apiVersion: undefined,
      database: { kind: 'embedded', file: null },
      sealing: null,
    })
    expect(configuration.clientSecret.reveal()).toBe('shpss_planted')
  })

  it('may name everything', () => {
    const configuration = readEnvironment({
      ...APP,
      SHOPIFY_API_SECRET_PREVIOUS: 'shpss_before',
      SHOPIFY_API_VERSION: '2026-10',
      SHOPIFY_TOKENS_DATABASE_URL: 'sqlite:./tokens.db',
      SHOPIFY_TOKENS_SEALING_KEYS_FILE: '/run/secrets/keys',
    })

    expect(configuration).toMatchObject({
      apiVersion: '2026-10',
      database: { kind: 'embedded', file: './tokens.db' },
      sealing: { kind: 'file', file: '/run/secrets/keys' },
    })
    expect(configuration.previousClientSecret?.reveal()).toBe('shpss_before')
  })

  it('reads values without the white space around them', () => {
    const configuration = readEnvironment({ ...APP, SHOPIFY_API_KEY: ' client-id\n', SHOPIFY_API_SECRET: 'secret\r\n' })

    expect(configuration.clientId).toBe('client-id')
    expect(configuration.clientSecret.reveal()).toBe('secret')
  })

  it('takes a variable that holds only white space for a missing one', () => {
    expect(faultsOf({ ...APP, SHOPIFY_API_SECRET: '  ' })).toEqual(['SHOPIFY_API_SECRET'])
  })
})

describe('the database', () => {
  it.each([
    ['sqlite:tokens.db', 'tokens.db'],
    ['sqlite:./data/tokens.db', './data/tokens.db'],
    ['sqlite://tokens.db', 'tokens.db'],
    ['sqlite:///var/lib/tokens.db', '/var/lib/tokens.db'],
    ['file:/var/lib/tokens.db', '/var/lib/tokens.db'],
    ['file:///var/lib/tokens.db', '/var/lib/tokens.db'],
    ['/var/lib/tokens.db', '/var/lib/tokens.db'],
    ['tokens.db', 'tokens.db'],
    ['/data/my:tokens.db', '/data/my:tokens.db'],
    ['C:\\data\\tokens.db', 'C:\\data\\tokens.db'],
    ['sqlite:C:\\data\\tokens.db', 'C:\\data\\tokens.db'],
  ])('named %s is a file', (url, file) => {
    expect(readEnvironment({ ...APP, SHOPIFY_TOKENS_DATABASE_URL: url }).database).toEqual({ kind: 'embedded', file })
  })

  it.each([
    POSTGRES,
    'postgresql://app:planted-password@db/tokens',
    'mysql://app:planted-password@db/tokens',
    'mariadb://app:planted-password@db/tokens',
  ])('named %s is a server', (url) => {
    const { database } = readEnvironment({
      ...APP,
      SHOPIFY_TOKENS_DATABASE_URL: url,
      SHOPIFY_TOKENS_SEALING_KEYS: `k1:${KEY}`,
    })

    expect(database.kind).toBe('server')
    expect(database.kind === 'server' && database.url.reveal()).toBe(url)
    expect(JSON.stringify(database)).not.toContain('planted-password')
  })

  it.each([
    'redis://:planted-password@db',
    'mongodb+srv://app:planted-password@db/tokens',
    'POSTGRES://app:planted-password@db/tokens',
    'postgres:app:planted-password@db/tokens',
    'postgres://',
    'mssql:planted-password',
    'app:planted-password@db:5432/tokens',
    'jdbc:sqlite:/var/lib/tokens.db',
    'db2://app:planted-password@db/tokens',
    'jdbc:postgresql://db/tokens?password=planted-password',
    'sqlite:',
    'sqlite://',
    'sqlite:///',
    'file:',
  ])('named %s is refused, and never taken for a file of that name', (url) => {
    const error = refusal({ ...APP, SHOPIFY_TOKENS_DATABASE_URL: url })

    expect(error.options).toEqual(['SHOPIFY_TOKENS_DATABASE_URL'])
    expect(error.message).not.toContain('planted-password')
  })
})

describe('sealing keys', () => {
  it('are read in their order, the current one first', () => {
    const { sealing } = readEnvironment({ ...APP, SHOPIFY_TOKENS_SEALING_KEYS: `k2:${KEY},k1:${KEY}` })

    expect(sealing).toEqual({
      kind: 'keys',
      keys: [
        { id: 'k2', bytes: Buffer.alloc(32, 7) },
        { id: 'k1', bytes: Buffer.alloc(32, 7) },
      ],
    })
  })

  it('are needed with a database server, in development too', () => {
    expect(faultsOf({ ...APP, SHOPIFY_TOKENS_DATABASE_URL: POSTGRES })).toEqual(['SHOPIFY_TOKENS_SEALING_KEYS'])
  })

  it('may come from a file', () => {
    const { sealing } = readEnvironment({
      ...APP,
      SHOPIFY_TOKENS_DATABASE_URL: POSTGRES,
      SHOPIFY_TOKENS_SEALING_KEYS_FILE: '/run/secrets/keys',
    })

    expect(sealing).toEqual({ kind: 'file', file: '/run/secrets/keys' })
  })

  it('given twice are refused, because one of the two would be ignored', () => {
    const both = { ...APP, SHOPIFY_TOKENS_SEALING_KEYS: `k1:${KEY}`, SHOPIFY_TOKENS_SEALING_KEYS_FILE: '/run/keys' }

    expect(faultsOf(both)).toEqual(['SHOPIFY_TOKENS_SEALING_KEYS_FILE'])
  })

  it('that cannot be read are refused by their place, never by their content', () => {
    const error = refusal({ ...APP, SHOPIFY_TOKENS_SEALING_KEYS: `k1:${KEY},cGxhbnRlZA==` })

    expect(error.options).toEqual(['SHOPIFY_TOKENS_SEALING_KEYS'])
    expect(error.message).toContain('Sealing key 2')
    expect(error.message).not.toContain('cGxhbnRlZA')
    expect(error.message).not.toContain(KEY)
  })
})

describe('an environment for production', () => {
  it('with a database and keys is complete', () => {
    expect(readEnvironment(PRODUCTION)).toMatchObject({ database: { kind: 'server' }, sealing: { kind: 'keys' } })
  })

  it('may use a file that is named', () => {
    const { database } = readEnvironment({ ...PRODUCTION, SHOPIFY_TOKENS_DATABASE_URL: 'sqlite:/data/tokens.db' })

    expect(database).toEqual({ kind: 'embedded', file: '/data/tokens.db' })
  })

  it('without a named database is refused, and says why', () => {
    const error = refusal({ ...PRODUCTION, SHOPIFY_TOKENS_DATABASE_URL: undefined })

    expect(error.options).toEqual(['SHOPIFY_TOKENS_DATABASE_URL'])
    expect(error.message).toContain('gone with its container')
  })

  it('with a file but without keys is refused', () => {
    const file = { SHOPIFY_TOKENS_DATABASE_URL: 'sqlite:/data/tokens.db', SHOPIFY_TOKENS_SEALING_KEYS: undefined }

    expect(faultsOf({ ...PRODUCTION, ...file })).toEqual(['SHOPIFY_TOKENS_SEALING_KEYS'])
  })

  it('names everything that is missing at once', () => {
    const error = refusal({ NODE_ENV: 'production' })

    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION' })
    expect(error.options).toEqual([
      'SHOPIFY_API_KEY',
      'SHOPIFY_API_SECRET',
      'SHOPIFY_TOKENS_DATABASE_URL',
      'SHOPIFY_TOKENS_SEALING_KEYS',
    ])
    for (const name of error.options) expect(error.message).toContain(name)
  })

  it('names the unreadable ones with the missing ones, and no value of any', () => {
    const error = refusal({
      NODE_ENV: 'production',
      SHOPIFY_API_SECRET: 'shpss_planted',
      SHOPIFY_API_VERSION: 'planted-version',
      SHOPIFY_TOKENS_DATABASE_URL: 'redis://planted-password@db',
      SHOPIFY_TOKENS_SEALING_KEYS: 'planted-key',
    })

    expect(error.options).toEqual([
      'SHOPIFY_API_KEY',
      'SHOPIFY_TOKENS_DATABASE_URL',
      'SHOPIFY_API_VERSION',
      'SHOPIFY_TOKENS_SEALING_KEYS',
    ])
    expect(`${error.message}${String(error.stack)}`).not.toContain('planted')
  })
})

describe('who renews', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['hybrid', 'hybrid'],
    ['lazy', 'lazy'],
    [' never\n', 'never'],
  ])('is read from %p as %p', (value, renewal) => {
    expect(readEnvironment({ ...APP, SHOPIFY_TOKENS_RENEWAL: value }).renewal).toBe(renewal)
  })

  it.each(['Never', 'no', 'planted', 'constructor'])('cannot be %p, which is named with everything else', (value) => {
    const error = refusal({ SHOPIFY_API_KEY: 'client-id', SHOPIFY_TOKENS_RENEWAL: value })

    expect(error.options).toEqual(['SHOPIFY_API_SECRET', 'SHOPIFY_TOKENS_RENEWAL'])
    expect(error.message).toContain("SHOPIFY_TOKENS_RENEWAL (one of 'hybrid', 'lazy', 'never')")
    expect(error.message).not.toContain('planted')
  })
})

describe('the list of variables', () => {
  it('is what the documents promise', () => {
    expect(Object.values(ENVIRONMENT_VARIABLES)).toEqual([
      'SHOPIFY_API_KEY',
      'SHOPIFY_API_SECRET',
      'SHOPIFY_API_SECRET_PREVIOUS',
      'SHOPIFY_API_VERSION',
      'SHOPIFY_TOKENS_DATABASE_URL',
      'SHOPIFY_TOKENS_SEALING_KEYS',
      'SHOPIFY_TOKENS_SEALING_KEYS_FILE',
      'SHOPIFY_TOKENS_DEPLOYMENT',
      'SHOPIFY_TOKENS_RENEWAL',
    ])
  })
})

function refusal(env: Parameters<typeof readEnvironment>[0]): InvalidOptionError {
  try {
    readEnvironment(env)
  } catch (error) {
    if (error instanceof InvalidOptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

function faultsOf(env: Parameters<typeof readEnvironment>[0]): readonly string[] {
  return refusal(env).options
}
