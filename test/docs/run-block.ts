import ts from 'typescript'
import { compilerOptions } from './source-facts.js'

/** How a block is called: by what it finds under `require`, and by the names that it takes for granted. */
type Body = (...args: readonly unknown[]) => unknown
const AsyncFunction = (async () => undefined).constructor as new (...args: string[]) => Body

/** Runs a block as a module of its own, with `imports` in place of what it would import under these names. Answers its exports. */
export async function runBlock(
  code: string,
  given: Readonly<Record<string, unknown>> = {},
  imports: object = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { ...compilerOptions(), module: ts.ModuleKind.CommonJS, verbatimModuleSyntax: false },
  })
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the block's own imports, by name
  const load = (name: string): unknown => (name in imports ? imports[name as keyof typeof imports] : require(name))
  const module: { readonly exports: Readonly<Record<string, unknown>> } = { exports: {} }
  const block = new AsyncFunction('require', 'exports', 'module', ...Object.keys(given), outputText)
  await block(load, module.exports, module, ...Object.values(given))
  return module.exports
}
