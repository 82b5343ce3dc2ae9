// How Jest compiles: swc to CommonJS, with decorator metadata. For coverage the counters go into the TypeScript source,
// before swc sees it, so that a figure speaks of lines and branches that somebody wrote.
const { join } = require('node:path')
const babel = require('@babel/core')
const { createTransformer } = require('@swc/jest')

const swc = createTransformer({
  swcrc: false,
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
})

function withCounters(source, filename) {
  const { code } = babel.transformSync(source, {
    filename,
    babelrc: false,
    configFile: false,
    retainLines: true,
    plugins: [
      ['@babel/plugin-syntax-typescript', { disallowAmbiguousJSXLike: true }],
      ['babel-plugin-istanbul', { cwd: join(__dirname, '..'), exclude: [] }],
    ],
  })
  return code
}

module.exports = {
  canInstrument: true,
  getCacheKey: swc.getCacheKey,
  process(source, filename, options) {
    return swc.process(options.instrument ? withCounters(source, filename) : source, filename, options)
  },
}
