// The import rules of this repository; type-only imports count. Build first: a package's name leads to its build.

/** Core's layers, lowest first. A file imports from its own layer and from those below, never from above. */
const CORE_LAYERS = [
  ['shop', 'errors', 'option-checks', 'secret', 'token', 'durations', 'scopes', 'renewal-mode'],
  ['ports/', 'deadline', 'events', 'token-source'],
  ['fleet/'],
  ['oauth/', 'memory/', 'admin/', 'sealed-store', 'context', 'request-access', 'key-rings'],
  ['renewal/', 'removal'],
  ['migration/', 'keep-alive/', 'secret-rotation/', 'jobs/', 'environment'],
  ['options'],
  ['serving/'],
  ['acquire-options', 'watched-verifiers', 'token-manager', 'create-token-manager'],
  ['http/'],
  ['sources/'],
  ['index'],
]

/** `@shopify-tokens/typeorm-store/from-environment`, as its package's exports resolve it. */
const EMBEDDED_STORE = '^packages/typeorm-store/dist/[^/]+/from-environment[.]'

const inCore = (names) =>
  `^packages/core/src/(?:${names.map((name) => (name.endsWith('/') ? name : `${name}[.]ts$`)).join('|')})`

const corePointsDownwards = CORE_LAYERS.slice(0, -1).map((layer, index) => ({
  name: `core-points-downwards-${String(index)}`,
  comment: `${layer.join(', ')} must not know the layers above`,
  severity: 'error',
  from: { path: inCore(layer) },
  to: { path: inCore(CORE_LAYERS.slice(index + 1).flat()) },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...corePointsDownwards,
    {
      name: 'core-file-has-a-layer',
      comment: 'give every file of core a place in CORE_LAYERS',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: inCore(CORE_LAYERS.flat()) },
      to: {},
    },
    {
      name: 'core-imports-only-layers',
      comment: 'give every file of core a place in CORE_LAYERS',
      severity: 'error',
      from: {},
      to: { path: '^packages/core/src/', pathNot: inCore(CORE_LAYERS.flat()) },
    },
    {
      name: 'no-cycles',
      comment: 'type-only cycles included',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-public-entries',
      comment: 'a package is imported by its name, never by a path into its folder',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'adapters-know-only-core',
      comment: 'adapters import core and never each other; the embedded store is loaded dynamically',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/' },
      to: {
        path: '^packages/[^/]+/',
        pathNot: ['^packages/$1/', '^packages/core/', EMBEDDED_STORE],
      },
    },
    {
      name: 'embedded-store-only-from-frameworks',
      comment: "only express and nestjs load '@shopify-tokens/typeorm-store/from-environment'",
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/(?:express|nestjs|typeorm-store)/' },
      to: { path: '^packages/typeorm-store/' },
    },
    {
      name: 'embedded-store-only-dynamically',
      comment: 'a static import would make TypeORM compulsory',
      severity: 'error',
      from: { path: '^packages/(?:express|nestjs)/' },
      to: { path: '^packages/typeorm-store/', dynamic: false },
    },
    {
      name: 'redis-takes-live-clients',
      comment: 'the app gives the client, whose shape is all that is known of it',
      severity: 'error',
      from: { path: '^packages/redis/src/' },
      to: { path: '(?:^|/)(?:ioredis|redis|@redis/[^/]+)(?:/|$)', pathNot: '^packages/redis/src/' },
    },
    {
      name: 'bullmq-takes-live-objects',
      comment:
        'the app makes queues and workers, whose shape is all that is known of them; BullMQ itself is asked for its errors',
      severity: 'error',
      from: { path: '^packages/bullmq/src/', pathNot: '^packages/bullmq/src/(?:job-run|fleet/fleet-processor)[.]ts$' },
      to: { path: '(?:^|/)(?:bullmq|ioredis|redis|@redis/[^/]+)(?:/|$)', pathNot: '^packages/bullmq/' },
    },
    {
      name: 'core-knows-no-package',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: { path: '^packages/', pathNot: '^packages/core/' },
    },
    {
      name: 'declared-dependencies',
      comment: 'every imported package stands in that package.json, and not among its development dependencies alone',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional', 'type-only'],
      },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    combinedDependencies: false,
    enhancedResolveOptions: { conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
}
