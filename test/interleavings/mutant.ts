import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { transformSync } from '@swc/core'
import type { explore as Explore } from './explore.js'

const CORE = resolve(__dirname, '../../packages/core/src')

/** A change of the product's source. */
export interface Mutant {
  /** Below packages/core/src. */
  readonly file: string
  /** Stands there exactly once. */
  readonly original: string
  readonly replacement: string
}

/** The explorer over a product that differs in one place. Call `forgetMutants` afterwards. */
export async function explorerOf({ file, original, replacement }: Mutant): Promise<typeof Explore> {
  const path = join(CORE, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(original).length !== 2) throw new Error(`${file} has no single place that reads: ${original}`)
  const { code } = transformSync(
    source.replace(original, () => replacement),
    {
      filename: path,
      swcrc: false,
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    },
  )
  jest.resetModules()
  jest.doMock(path, () => {
    const mutated = { exports: {} }
    const load = (name: string): unknown =>
      jest.requireActual(name.startsWith('.') ? join(dirname(path), name).replace(/\.js$/, '.ts') : name)
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the module as Node.js itself would wrap it
    const body = new Function('require', 'module', 'exports', code) as (...given: unknown[]) => void
    body(load, mutated, mutated.exports)
    return mutated.exports
  })
  return (await import('./explore.js')).explore
}

export function forgetMutants(...files: readonly string[]): void {
  for (const file of files) jest.dontMock(join(CORE, file))
  jest.resetModules()
}
