import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'

const LEFT_OUT = new Set(['.git', 'dist', 'coverage'])

/**
 * A copy of the working tree in a temporary folder, in which files may be changed. Installed packages are linked, not
 * copied; our own among them are found in the copy all the same, because `test/matrix/resolver.cjs` takes its own tree's.
 */
export class TreeCopy {
  constructor(root) {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), 'shopify-tokens-ablate-')))
    cpSync(root, this.root, {
      recursive: true,
      filter: (from) => {
        if (LEFT_OUT.has(basename(from))) return false
        if (basename(from) !== 'node_modules') return true
        symlinkSync(from, join(this.root, relative(root, from)), 'junction')
        return false
      },
    })
  }

  /** Runs `work` while `file` reads as `change` makes of it. */
  async whileChanged(file, change, work) {
    const path = join(this.root, file)
    const before = readFileSync(path, 'utf8')
    writeFileSync(path, change(before))
    try {
      return await work()
    } finally {
      writeFileSync(path, before)
    }
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true })
  }
}
