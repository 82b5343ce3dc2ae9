import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/** Nothing of Chromium's own may leave the machine. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
]

/** The browser, and what makes certificates for it. */
const PROGRAMS = { chromium: pathOf(process.env.CHROMIUM ?? 'chromium'), openssl: pathOf('openssl') }

/**
 * Declares a suite that needs a browser. Without Chromium or openssl it is declared as skipped under a title that says so;
 * the run names it once more, and fails if skipping is not allowed.
 */
export function describeInBrowser(title: string, body: () => void): void {
  const missing = Object.entries(PROGRAMS).flatMap(([name, path]) => (path === undefined ? [name] : []))
  if (missing.length === 0) {
    describe(title, body)
    return
  }
  process.stderr.write(`SKIPPED: ${title}, because ${missing.join(' and ')} cannot be found\n`)
  describe.skip(`${title} [skipped: no ${missing.join(' and no ')}]`, body)
}

/** Starts a browser with an empty profile in which these hosts (`*` allowed) are ports of this machine, and no other host is. */
export async function startBrowser(ports: Readonly<Record<string, number>>): Promise<Browser> {
  const mapped = Object.entries(ports).map(([host, port]) => `MAP ${host} 127.0.0.1:${String(port)}`)
  const rules = [...mapped, 'MAP * ~NOTFOUND'].join(', ')
  return chromium.launch({
    executablePath: PROGRAMS.chromium ?? '',
    headless: true,
    args: [...FLAGS, `--host-resolver-rules=${rules}`],
  })
}

function pathOf(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => (program.includes('/') ? program : join(folder, program)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
