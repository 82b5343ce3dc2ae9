/** Where a person finds the demo. A port that is taken is replaced by a free one. */
export const PORTS = { page: 3100, express: 3101, nest: 3102 }

/**
 * Listens on this machine alone.
 *
 * @param {import('node:http').Server} server
 * @param {number} port
 * @returns {Promise<string>} the URL
 */
export async function listenOn(server, port) {
  const listening = (/** @type {number} */ wanted) =>
    new Promise((resolve, reject) => {
      server.once('error', reject).listen(wanted, '127.0.0.1', () => {
        server.off('error', reject)
        resolve(undefined)
      })
    })
  await listening(port).catch((error) => {
    if (error.code !== 'EADDRINUSE' || port === 0) throw error
    return listening(0)
  })
  return `http://127.0.0.1:${String(/** @type {import('node:net').AddressInfo} */ (server.address()).port)}`
}
