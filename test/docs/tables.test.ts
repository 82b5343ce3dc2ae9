import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AUTH_VARIABLES, ENVIRONMENT_VARIABLES, readEnvironment } from '@shopify-tokens/core'
import { DEFAULT_DURATIONS, DURATION_RANGES, type Durations } from '../../packages/core/src/durations.js'
import { MarkdownDocument, plain, root } from './markdown.js'
import { defaultIn, type Member, SourceFacts } from './source-facts.js'

const readme = new MarkdownDocument('README.md')
const facts = new SourceFacts(
  'packages/core/src/index.ts',
  'packages/express/src/index.ts',
  'packages/nestjs/src/index.ts',
)

function number(cell: string | undefined): number {
  return Number(plain(cell).replaceAll(/[  ]/g, ''))
}

/** What the table's second column should say of an option. */
function defaultOf({ doc, isOptional }: Member): string {
  return isOptional ? (defaultIn(doc) ?? '') : 'required'
}

describe('the options', () => {
  it('are those of the manager, with the defaults that their docstrings state', () => {
    const durations = new Set(Object.keys(DEFAULT_DURATIONS))
    const members = facts.membersOf('TokenManagerOptions').filter(({ name }) => !durations.has(name))
    const { rows } = readme.table('Options')
    expect(rows.map(([name, stated]) => [plain(name), plain(stated)])).toEqual(
      members.map((member) => [member.name, plain(defaultOf(member))]),
    )
  })

  it('in milliseconds have the defaults and ranges that the code has', () => {
    const { rows } = readme.table('Durations')
    const stated = rows.map(([name, fallback, range = '']) => [
      plain(name),
      number(fallback),
      range.split('–').map(number),
    ])
    const names = Object.keys(DEFAULT_DURATIONS) as (keyof Durations)[]
    expect(stated).toEqual(names.map((name) => [name, DEFAULT_DURATIONS[name], [...DURATION_RANGES[name]]]))
  })

  it.each(['express', 'nestjs'])('of requests in %s are those of its RequestOptions', (name) => {
    const own = facts.membersOf('RequestOptions', `packages/${name}/src/`)
    const { rows } = new MarkdownDocument(`packages/${name}/README.md`).table('Options')
    const functions = new Set(['shopOf'])
    // The order of an interface that extends another is the compiler's.
    expect(new Map(rows.map(([option, stated]) => [plain(option), plain(stated)]))).toEqual(
      new Map(own.map((member) => [member.name, functions.has(member.name) ? '' : plain(defaultOf(member))])),
    )
  })
})

it('the options of the module are those of its extras, with the defaults that their docstrings state', () => {
  const { rows } = new MarkdownDocument('packages/nestjs/README.md').table('Of the module')
  const members = facts.membersOf('ShopifyTokensModuleExtras')
  expect(rows.map(([name, stated]) => [plain(name), plain(stated)])).toEqual(
    members.map((member) => [member.name, plain(defaultOf(member))]),
  )
})

it('the options of the OAuth routes are those of AuthOptions', () => {
  const members = facts.membersOf('AuthOptions')
  const { rows } = new MarkdownDocument('docs/embedded-apps.md').table('Mount the OAuth routes')
  expect(rows.map(([name]) => plain(name))).toEqual(members.map(({ name }) => name))
  const variables = rows.filter(([, fallback = '']) => fallback.includes('variable')).map(([name]) => plain(name))
  expect(variables.sort()).toEqual(Object.keys(AUTH_VARIABLES).sort())
  for (const [name = '', fallback = ''] of rows) {
    const variable = new Map<string, string>(Object.entries(AUTH_VARIABLES)).get(plain(name))
    if (variable !== undefined) expect(fallback).toContain(`\`${variable}\``)
  }
})

describe('the environment variables', () => {
  const { rows } = readme.table('Environment variables')

  it('are those that the code reads', () => {
    const all = [ENVIRONMENT_VARIABLES, AUTH_VARIABLES].flatMap((names) => Object.values<string>(names))
    expect(rows.map(([name]) => plain(name))).toEqual(all)
  })

  it('that are required are those that are missed', () => {
    const required = rows.filter(([, meaning = '']) => meaning.includes('Required.')).map(([name]) => plain(name))
    expect(() => readEnvironment({})).toThrow(expect.objectContaining({ options: required }) as Error)
  })
})

it('the events are those that the code raises', () => {
  const { rows } = readme.table('Events')
  expect(rows.map(([name]) => plain(name))).toEqual(facts.stringsOf('TokenEventType'))
})

describe('the packages', () => {
  const tables = readme.tables.filter(({ heading }) => heading === 'Packages')

  it('are those of this repository', () => {
    const [packages] = tables
    expect(packages?.rows.map(([name]) => plain(name)).sort()).toEqual(
      readdirSync(join(root, 'packages'))
        .map((folder) => `@shopify-tokens/${folder}`)
        .sort(),
    )
  })

  const manifest = (path: string): Readonly<Record<string, Readonly<Record<string, string>> | undefined>> =>
    JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Record<string, Record<string, string>>
  const cells = (name: string): readonly string[] => tables[1]?.rows.find(([first]) => first === name) ?? []

  it.each([
    ['Express', 'express', 'express', ['express4', 'express5']],
    ['NestJS', 'nestjs', '@nestjs/core', ['nest11', 'nest12']],
    ['TypeORM', 'typeorm-store', 'typeorm', ['typeorm03', 'typeorm1']],
    ['BullMQ', 'bullmq', 'bullmq', ['nest11', 'nest12']],
  ] as const)(
    'support the versions of %s that they declare, and are tested on those named',
    (title, name, peer, on) => {
      const [, supported, tested = ''] = cells(title)
      expect(supported).toBe(manifest(`packages/${name}`).peerDependencies?.[peer])
      const versions = on.map((project) => manifest(`test/matrix/${project}`).devDependencies?.[peer])
      expect(tested.match(/\d+\.\d+\.\d+/g)).toEqual(versions)
    },
  )

  it('support the Node.js versions that they declare', () => {
    expect(cells('Node.js')[1]).toBe(manifest('packages/core').engines?.node)
  })
})
