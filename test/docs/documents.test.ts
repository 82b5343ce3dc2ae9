import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, posix } from 'node:path'
import { isJavaScript, isTypeScript, problemsOf, syntaxProblemsOf } from './compiled-blocks.js'
import { allDocuments, MarkdownDocument, root } from './markdown.js'

const documents = allDocuments()
/** The repository's scripts, and those of the examples, whose documents stand beside them. */
const packageScripts = ['.', ...readdirSync(join(root, 'examples')).map((name) => `examples/${name}`)].flatMap(
  (folder) =>
    Object.keys(
      (JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as { scripts?: object }).scripts ?? {},
    ),
)

it('finds the documents that a reader expects', () => {
  const paths = documents.map(({ path }) => path)
  for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']) {
    expect(paths).toContain(path)
  }
})

describe('code blocks', () => {
  it('in TypeScript compile in strict mode against the packages', () => {
    const blocks = documents.flatMap((document) => document.blocks.filter(isTypeScript))
    process.stdout.write(`${blocks.length} TypeScript blocks compiled\n`)
    expect(blocks.length).toBeGreaterThan(10)
    expect(problemsOf(documents)).toEqual([])
  }, 60_000)

  it('in JavaScript and JSON parse', () => {
    for (const { blocks } of documents) {
      for (const block of blocks.filter(isJavaScript)) expect(syntaxProblemsOf(block)).toEqual([])
      for (const { code } of blocks.filter(({ language }) => language === 'json')) JSON.parse(code)
    }
  })

  it('say in which language they are', () => {
    const unknown = documents.flatMap(({ path, blocks }) =>
      blocks
        .filter((block) => !isTypeScript(block) && !isJavaScript(block))
        .filter(({ language }) => !['sh', 'json', 'sql', 'text', 'mermaid', 'http'].includes(language))
        .map(({ line }) => `${path}:${line}`),
    )
    expect(unknown).toEqual([])
  })

  it('in the shell run scripts and files that there are', () => {
    const commands = documents.flatMap(({ blocks }) => blocks.filter(({ language }) => language === 'sh'))
    for (const { code } of commands) {
      for (const [, script = ''] of code.matchAll(/\bnpm run ([\w:-]+)/g)) expect(packageScripts).toContain(script)
      for (const [, file = ''] of code.matchAll(/\bnode ((?:scripts|test|examples)\/\S+)/g)) {
        expect([file, existsSync(join(root, file))]).toEqual([file, true])
      }
    }
  })
})

describe('a link', () => {
  const local = documents.flatMap(({ path, links }) =>
    links
      .filter(({ target }) => !/^[a-z][a-z+.-]*:/i.test(target))
      .map(({ target, line }) => [`${path}:${line} ${target}`, path, target] as const),
  )

  it('occurs', () => {
    expect(local.length).toBeGreaterThan(10)
  })

  it.each(local)('leads somewhere: %s', (_title, from, target) => {
    const [file = '', anchor] = target.split('#')
    const path = file === '' ? from : normalize(posix.join(dirname(from), decodeURIComponent(file)))
    expect(existsSync(join(root, path))).toBe(true)
    if (anchor === undefined) return
    expect(new MarkdownDocument(path).headings.map((heading) => heading.anchor)).toContain(anchor)
  })
})

it.each(documents.map(({ path, text }) => [path, text] as const))(
  '%s speaks of this repository alone',
  (_path, text) => {
    expect(text).not.toMatch(/\/work\/|\/tmp\/|localhost:4873|verdaccio|\bissues? #?\d/i)
    expect(text).not.toMatch(/\p{Extended_Pictographic}/u)
  },
)
