import { describeRoutes } from '../routes.js'
import { routesApp } from './routes-app.js'
import { closeAll, PLATFORMS } from './served-app.js'

afterEach(closeAll)

describe.each(PLATFORMS)('on platform-%s', (platform) => {
  describeRoutes((options) => routesApp({ platform, ...options }))
})
