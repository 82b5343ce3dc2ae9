import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MarkdownDocument, plain, root } from './markdown.js'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** Each dependency of the published packages, and who has it: `express, nestjs (optional peer)`. */
function declared(): ReadonlyMap<string, string> {
  const owners = new Map<string, string>()
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const isOptional = peerDependenciesMeta?.[dependency]?.optional === true
      const how = dependency in (peerDependencies ?? {}) ? ` (${isOptional ? 'optional peer' : 'peer'})` : ''
      const others = owners.get(dependency)?.replace(how, '')
      owners.set(dependency, `${others === undefined ? '' : `${others}, `}${name}${how}`)
    }
  }
  return owners
}

const { rows } = new MarkdownDocument('ARCHITECTURE.md').table('Dependencies')

it('explains every dependency of every package in one line, and no other', () => {
  const explained = rows.map(([name, owners = '']) => [plain(name), owners] as const)
  expect(Object.fromEntries(explained)).toEqual(Object.fromEntries(declared()))
  for (const [, , why = ''] of rows) expect(why).toMatch(/\w\.$/)
})
