import { spawn } from 'node:child_process'
import { root } from './workspace.mjs'

/** How much of a command's output is kept for the reader of its failure. */
const KEPT_CHARACTERS = 100_000

/**
 * Runs a command, in the repository's root unless `cwd` says otherwise, and answers its exit code and the end of its
 * output, stdout and stderr interleaved. `log` receives every chunk as it arrives. After `timeoutMs` it is killed. Never
 * rejects because the command failed.
 */
export function run(command, args, { log = () => {}, env = {}, cwd = root, timeoutMs } = {}) {
  // On Windows npx is a script that only a shell can start.
  const shell = process.platform === 'win32' && command !== process.execPath
  const limit = { timeout: timeoutMs, killSignal: 'SIGKILL' }
  const options = { cwd, env: { ...process.env, ...env }, shell, stdio: ['ignore', 'pipe', 'pipe'], ...limit }
  return new Promise((resolve, reject) => {
    const child = spawn(command, shell ? args.map((arg) => `"${arg}"`) : args, options)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8')
      stream.on('data', (chunk) => {
        output = (output + chunk).slice(-KEPT_CHARACTERS)
        log(chunk)
      })
    }
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
