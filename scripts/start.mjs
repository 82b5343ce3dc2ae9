// `npm start`: sets up, then hands over to the demo with the arguments it was given, for example `--once`.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { reportingSetupErrors, setup } from './setup.mjs'
import { root } from './workspace.mjs'

/** The demo: a program that tells its story on stdout, ends on Ctrl-C, and with `--once` ends by itself. */
const DEMO = join(root, 'examples/demo/main.mjs')

await reportingSetupErrors(async () => {
  await setup()
  if (!existsSync(DEMO)) return
  const demo = spawn(process.execPath, [DEMO, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
  // A terminal's Ctrl-C reaches the demo by itself; this process only waits for it to clean up.
  process.on('SIGINT', () => process.stdin.isTTY || demo.kill('SIGINT'))
  process.on('SIGTERM', () => demo.kill('SIGTERM'))
  process.exitCode = await new Promise((resolve) => demo.once('close', (code) => resolve(code ?? 1)))
})
