// Run last by `npm test`: no token that any fake Shopify has minted, and no client secret or sealing key that the tests
// use, may stand anywhere in the output of the whole run.
import { readFileSync } from 'node:fs'
import { findMintedTokens, findSecrets } from './search.mjs'
import { PLANTED } from './planted.mjs'

const [file] = process.argv.slice(2)
const output = readFileSync(file, 'utf8')
const found = [
  ...findMintedTokens(output).map(({ spelling, line }) => `a minted token (${spelling}) in line ${String(line)}`),
  ...findSecrets(output, PLANTED).map(({ name, spelling }) => `${name} (${spelling})`),
]
for (const what of found) console.error(`The output of the run holds ${what}.`)
if (output.length < 1_000) {
  console.error('The output of the run is too short to have been all of it.')
  process.exitCode = 1
}
if (found.length > 0) process.exitCode = 1
