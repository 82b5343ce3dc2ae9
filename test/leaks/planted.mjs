/** Secrets of the tests that must never be printed, by name. */
export const PLANTED = {
  'client secret of the core tests': 'test-client-secret',
  'client secret of the races': 'races-client-secret',
  'client secret of the leak tests': 'planted-client-secret-8d1f',
  'sealing key of the leak tests': Buffer.alloc(32, 0x5a).toString('base64'),
}
