import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))

/** Packages that ship ESM only; Jest runs CommonJS, so they are compiled like our own sources. */
const ESM_ONLY = [
  '@nestjs',
  'jose',
  'file-type',
  'load-esm',
  'strtok3',
  'token-types',
  'uint8array-extras',
  '@tokenizer',
  '@borewit',
  'uid',
  'quick-lru',
  'mercurius',
  'content-disposition',
]

const shared = {
  rootDir: root,
  testEnvironment: join(root, 'test/environment.cjs'),
  globalSetup: join(root, 'test/probe-servers.mjs'),
  resolver: join(root, 'test/matrix/resolver.cjs'),
  transform: { '\\.[cm]?[jt]s$': join(root, 'test/compile.cjs') },
  transformIgnorePatterns: [`node_modules/(?!(?:\\.pnpm/[^/]+/node_modules/)?(?:${ESM_ONLY.join('|')})/)`],
  modulePathIgnorePatterns: [join(root, 'packages/[^/]+/dist/'), join(root, 'test/packaging/consumers/')],
}

/** One project per framework version: the suites of `test/suites/<suite>` with that version's own node_modules. */
function matrix(name, suite) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'test/matrix', name, 'package.json'), 'utf8'))
  return {
    ...shared,
    rootDir: join(root, 'test/matrix', name),
    roots: [join(root, 'test/suites', suite), join(root, 'packages')],
    displayName: name,
    testMatch: [`**/test/suites/${suite}/**/*.test.ts`],
    globals: { MATRIX: { project: name, versions: devDependencies } },
    // What adapters run of the core, its own suites count already.
    coveragePathIgnorePatterns: ['/packages/'],
  }
}

/** @type {import('jest').Config} */
export default {
  // One more than the cores of a small machine: many suites wait for processes and clocks.
  maxWorkers: 3,
  // Ends what hangs; no test measures time, and a busy machine shall not make one fall.
  testTimeout: 30_000,
  projects: [
    {
      ...shared,
      displayName: 'workspace',
      testMatch: ['<rootDir>/test/**/*.test.ts', '<rootDir>/examples/**/*.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/suites/', '<rootDir>/test/matrix/'],
    },
    matrix('express4', 'express'),
    matrix('express5', 'express'),
    matrix('nest11', 'nestjs'),
    matrix('nest12', 'nestjs'),
    matrix('typeorm03', 'typeorm-store'),
    matrix('typeorm1', 'typeorm-store'),
  ],
  collectCoverageFrom: ['<rootDir>/packages/core/src/**/*.ts'],
  coverageDirectory: '<rootDir>/coverage',
  // V8 counts no branch of a function that never ran, and every line of a file without code.
  coverageProvider: 'babel',
}
