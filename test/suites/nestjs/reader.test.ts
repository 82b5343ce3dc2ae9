import { describeReader } from '../reader.js'
import { closeAll, PLATFORMS, servedApp } from './served-app.js'

afterEach(closeAll)

describe.each(PLATFORMS)('on %s', (platform) => {
  describeReader(async (managed) => {
    const served = await servedApp({ platform, managed })
    return { ...served, http: served.server }
  })
})
