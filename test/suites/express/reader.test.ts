import { describeReader } from '../reader.js'
import { closeAll, servedApp } from './served-app.js'

afterEach(closeAll)

describeReader(async (managed) => {
  const served = await servedApp({ managed })
  return { ...served, http: served.app }
})
