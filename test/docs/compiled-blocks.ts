import { join } from 'node:path'
import ts from 'typescript'
import { type CodeBlock, type MarkdownDocument, root } from './markdown.js'
import { compilerOptions } from './source-facts.js'

/** Compiles TypeScript blocks as modules of their own, all in one program. Answers what the compiler has to say. */
export function problemsOf(documents: readonly MarkdownDocument[]): readonly string[] {
  const sources = new Map<string, { readonly text: string; readonly place: string }>()
  for (const { path, blocks } of documents) {
    for (const block of blocks.filter(isTypeScript)) {
      // In the folder of the tests, which can import whatever the reader is told to install.
      const file = join(root, 'test', `${path.replaceAll('/', '__')}__${block.line}.mts`)
      sources.set(file, { text: `${block.hidden.trim()}\n${block.code}\nexport {}\n`, place: `${path}:${block.line}` })
    }
  }
  const options = { ...compilerOptions(), noUnusedLocals: false, noUnusedParameters: false, rootDir: root }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => sources.has(file) || fileExists(file)
  host.readFile = (file) => sources.get(file)?.text ?? readFile(file)
  host.getSourceFile = (file, languageOptions, ...rest) => {
    const source = sources.get(file)
    if (source === undefined) return getSourceFile(file, languageOptions, ...rest)
    return ts.createSourceFile(file, source.text, languageOptions, true)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  return [...sources].flatMap(([file, { place }]) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText, start }) => {
        const at = start === undefined ? '' : ` near "${source?.text.slice(start, start + 40).split('\n')[0] ?? ''}"`
        return `${place}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}${at}`
      },
    )
  })
}

export function isTypeScript({ language }: CodeBlock): boolean {
  return language === 'ts' || language === 'typescript'
}

export function isJavaScript({ language }: CodeBlock): boolean {
  return language === 'js' || language === 'javascript'
}

/** What is wrong with the syntax of a JavaScript block. */
export function syntaxProblemsOf({ code }: CodeBlock): readonly string[] {
  const { diagnostics = [] } = ts.transpileModule(code, {
    fileName: 'block.mjs',
    reportDiagnostics: true,
    compilerOptions: { allowJs: true, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext },
  })
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
}
