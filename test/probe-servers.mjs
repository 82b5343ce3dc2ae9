// Jest's global setup: finds out once which database servers answer, so that suites can be declared or skipped by name.
import { connect } from 'node:net'
import { serverUrls } from './server-urls.mjs'

export default async function probeServers() {
  if (process.env.SHOPIFY_TOKENS_TEST_UNREACHABLE !== undefined) return
  const unreachable = []
  for (const [name, url] of Object.entries(serverUrls())) {
    const problem = await probe(new URL(url))
    if (problem === undefined) continue
    unreachable.push(name)
    const { hostname, port } = new URL(url)
    process.stderr.write(
      `SKIPPED: every suite that needs ${name}, because ${hostname}:${port} does not answer (${problem})\n`,
    )
  }
  process.env.SHOPIFY_TOKENS_TEST_UNREACHABLE = unreachable.join(',')
}

function probe({ hostname, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) })
    const finish = (problem) => {
      socket.destroy()
      resolve(problem)
    }
    socket.setTimeout(2_000, () => finish('no answer within 2 s'))
    socket.once('connect', () => finish(undefined))
    socket.once('error', (error) => finish(error.code))
  })
}
