import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'

export const root = resolve(__dirname, '../..')

/** A fenced code block. */
export interface CodeBlock {
  /** The first word after the fence. */
  readonly language: string
  readonly code: string
  /** The line of the fence, from 1. */
  readonly line: number
  /** What a comment `<!-- compiled with: … -->` in front of the block adds for the compiler and hides from the reader. */
  readonly hidden: string
}

export interface Heading {
  readonly level: number
  readonly text: string
  readonly anchor: string
  readonly line: number
}

export interface Link {
  readonly target: string
  readonly line: number
}

export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** The nearest heading above. */
  readonly heading: string
}

/** A Markdown file of this repository, taken apart as far as the tests need it. */
export class MarkdownDocument {
  /** From the repository's root, with slashes. */
  readonly path: string
  readonly text: string
  readonly headings: readonly Heading[]
  readonly blocks: readonly CodeBlock[]
  readonly links: readonly Link[]
  readonly tables: readonly Table[]

  constructor(path: string) {
    this.path = path
    this.text = readFileSync(join(root, path), 'utf8')
    const { blocks, prose } = separate(this.text.split('\n'))
    this.blocks = blocks
    this.headings = headingsOf(prose)
    this.links = linksOf(prose)
    this.tables = tablesOf(prose, this.headings)
  }

  /** The one table under a heading. */
  table(heading: string): Table {
    const [table, ...more] = this.tables.filter((candidate) => candidate.heading === heading)
    if (table !== undefined && more.length === 0) return table
    throw new Error(`${this.path}: expected one table under "${heading}"`)
  }

  /** The text from a heading to the next one of its level or above. */
  section(heading: string): string {
    const lines = this.text.split('\n')
    const start = this.headings.find(({ text }) => text === heading)
    if (start === undefined) throw new Error(`${this.path} has no heading "${heading}"`)
    const end = this.headings.find(({ line, level }) => line > start.line && level <= start.level)
    return lines.slice(start.line, (end?.line ?? lines.length + 1) - 1).join('\n')
  }
}

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.shopify-tokens'])

/** Every Markdown file of the repository. */
export function allDocuments(): readonly MarkdownDocument[] {
  return pathsUnder(root).map((path) => new MarkdownDocument(path))
}

function pathsUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pathsUnder(path)
    return entry.name.endsWith('.md') ? [relative(root, path).split(sep).join('/')] : []
  })
}

/** Tells code blocks from prose. In the prose, code and comments are empty lines, so that line numbers stay true. */
function separate(lines: readonly string[]): { readonly blocks: CodeBlock[]; readonly prose: string[] } {
  const blocks: CodeBlock[] = []
  const prose: string[] = []
  let hidden = ''
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    const fence = /^\s*(`{3,})(\S*)/.exec(line)
    if (fence !== null) {
      const [, ticks = '', language = ''] = fence
      const end = lines.findIndex((other, index) => index > at && other.trim() === ticks)
      if (end < 0) throw new Error(`The code block of line ${at + 1} has no end`)
      blocks.push({ language, code: lines.slice(at + 1, end).join('\n'), line: at + 1, hidden })
      while (prose.length <= end) prose.push('')
      at = end
      hidden = ''
    } else if (line.startsWith('<!--')) {
      const end = lines.findIndex((other, index) => index >= at && other.includes('-->'))
      const comment = lines.slice(at, end + 1).join('\n')
      hidden = /^<!-- compiled with:(.*)-->$/s.exec(comment)?.[1] ?? ''
      while (prose.length <= end) prose.push('')
      at = end
    } else {
      if (line.trim() !== '') hidden = ''
      prose.push(line)
    }
  }
  return { blocks, prose }
}

function headingsOf(prose: readonly string[]): Heading[] {
  const seen = new Map<string, number>()
  return prose.flatMap((line, index) => {
    const [, marks, title] = /^(#{1,6}) (.+?) *$/.exec(line) ?? []
    if (marks === undefined || title === undefined) return []
    const text = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '')
    // As GitHub makes them: lower case, nothing but letters, digits, spaces, - and _, spaces as hyphens.
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const earlier = seen.get(slug) ?? 0
    seen.set(slug, earlier + 1)
    return [{ level: marks.length, text, anchor: earlier === 0 ? slug : `${slug}-${earlier}`, line: index + 1 }]
  })
}

function linksOf(prose: readonly string[]): Link[] {
  return prose.flatMap((line, index) => {
    const withoutCode = line.replace(/`[^`]*`/g, 'code')
    const inline = [...withoutCode.matchAll(/\]\(<?([^)>\s]+)>?(?: "[^"]*")?\)/g)]
    const html = [...withoutCode.matchAll(/(?:src|href|srcset)="([^"]+)"/g)]
    const reference = [...withoutCode.matchAll(/^\[[^\]]+\]: (\S+)/g)]
    return [...inline, ...html, ...reference].map(([, target = '']) => ({ target, line: index + 1 }))
  })
}

function tablesOf(prose: readonly string[], headings: readonly Heading[]): Table[] {
  const tables: Table[] = []
  for (let at = 0; at < prose.length; at += 1) {
    if (!/^\|[ :|-]+\|$/.test(prose[at + 1] ?? '')) continue
    const end = prose.findIndex((line, index) => index > at && !line.startsWith('|'))
    const [header = [], , ...rows] = prose.slice(at, end < 0 ? undefined : end).map(cellsOf)
    const heading = headings.filter(({ line }) => line <= at).at(-1)?.text ?? ''
    tables.push({ header, rows, heading })
    at = end < 0 ? prose.length : end
  }
  return tables
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** A cell's or heading's text without the marks of code. */
export function plain(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '')
}
