// Where a suite runs: Jest's environment for Node.js, and its end also ends what the suite has begun for its whole process.
// Node.js goes through every AsyncLocalStorage that was ever entered whenever a promise is made. Each suite has its own
// copy of our modules, and so a storage of its own: behind fifty suites an `await` takes a hundred times as long.
const { AsyncLocalStorage } = require('node:async_hooks')
const { TestEnvironment } = require('jest-environment-node')

const entered = new Set()

for (const method of ['run', 'enterWith']) {
  const enter = AsyncLocalStorage.prototype[method]
  AsyncLocalStorage.prototype[method] = function (...args) {
    entered.add(this)
    return enter.apply(this, args)
  }
}

module.exports = class SuiteEnvironment extends TestEnvironment {
  async teardown() {
    for (const storage of entered) storage.disable()
    entered.clear()
    await super.teardown()
  }
}
