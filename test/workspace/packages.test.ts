import { readFileSync, readdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

const root = resolve(__dirname, '../..')
const packages = readdirSync(join(root, 'packages'))

interface Manifest {
  readonly version: string
  readonly license: string
  readonly type: string
  readonly sideEffects: boolean
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(read(`${folder}/package.json`)) as Manifest
}

/** On every supported Node `import` and `require` take `module-sync`, the same file; older tools take what follows. */
function entry(name: string): unknown {
  const esm = { types: `./dist/esm/${name}.d.ts`, default: `./dist/esm/${name}.js` }
  const cjs = { types: `./dist/cjs/${name}.d.ts`, default: `./dist/cjs/${name}.js` }
  return { 'module-sync': esm, import: esm, require: cjs }
}

function entryNames({ exports }: Manifest): readonly string[] {
  return Object.keys(exports).filter((name) => name !== './package.json')
}

describe.each(packages)('package %s', (name) => {
  const manifest = manifestOf(`packages/${name}`)

  it('is released together with the others, for the same Node, under the same licence', () => {
    const { version, engines, license } = manifestOf('.')
    expect(manifest).toMatchObject({ version, license, type: 'module', sideEffects: false, engines })
  })

  it('offers each entry as one ES module, and as CommonJS to tools that cannot take that', () => {
    for (const key of entryNames(manifest)) {
      expect(manifest.exports[key]).toEqual(entry(key === '.' ? 'index' : key.slice('./'.length)))
      expect(Object.keys(manifest.exports[key] as object)).toEqual(['module-sync', 'import', 'require'])
    }
  })

  it.each(['esm', 'commonjs'])('has every entry imported and required by the %s consumer', (consumer) => {
    const source = read(`test/packaging/consumers/${consumer}/src/main.ts`)
    for (const key of entryNames(manifest)) expect(source).toContain(`'@shopify-tokens/${name}${key.slice(1)}': `)
  })

  it('names no file after a drawer', () => {
    const files = readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
    const drawers = files.filter((file) => /^(?:utils?|helpers?|common|types|internal)(?:\.ts)?$/.test(basename(file)))
    expect(drawers).toEqual([])
  })
})

it('locks versions without saying where they were downloaded', () => {
  expect(read('pnpm-lock.yaml')).not.toMatch(/https?:|tarball:/)
})
