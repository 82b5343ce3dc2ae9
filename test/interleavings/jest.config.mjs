import config from '../../jest.config.mjs'

const [workspace] = config.projects

/** `pnpm interleavings`: the scenarios that are too many for every run of the tests. */
export default { ...workspace, displayName: 'interleavings', testMatch: ['**/test/interleavings/complete.ts'] }
