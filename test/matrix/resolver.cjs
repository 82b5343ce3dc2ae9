// How Jest finds modules here. Three rules beyond Node's own, for our files only, never inside node_modules:
// `@shopify-tokens/*` is the source, not the build; a relative `./x.js` is the source `./x.ts`; and in a project of the
// version matrix, whose root folder is its package under test/matrix, everything that package depends on is its copy.
const { existsSync, readFileSync } = require('node:fs')
const { join, resolve, sep } = require('node:path')

const root = resolve(__dirname, '../..')
const matrix = __dirname + sep
const ownDependencies = new Map()

/** What the matrix project in `folder` depends on: the names that resolve from there, whoever asks. */
function dependenciesOf(folder) {
  let names = ownDependencies.get(folder)
  if (names === undefined) {
    names = new Set(Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).devDependencies))
    ownDependencies.set(folder, names)
  }
  return names
}

function packageName(request) {
  return request.split('/', request.startsWith('@') ? 2 : 1).join('/')
}

function source(request, basedir) {
  const [, workspacePackage, entry = 'index'] = /^@shopify-tokens\/([a-z-]+)(?:\/([a-z-]+))?$/.exec(request) ?? []
  if (workspacePackage !== undefined) return join(root, 'packages', workspacePackage, 'src', `${entry}.ts`)
  if (/^\.\.?\/.*\.js$/.test(request)) return resolve(basedir, request.replace(/\.js$/, '.ts'))
  return undefined
}

module.exports = function resolveModule(request, options) {
  const { basedir, rootDir, defaultResolver } = options
  if (basedir.includes(`${sep}node_modules${sep}`)) return defaultResolver(request, options)
  const path = source(request, basedir)
  if (path !== undefined && existsSync(path)) return path
  if (rootDir?.startsWith(matrix) && dependenciesOf(rootDir).has(packageName(request))) {
    return defaultResolver(request, { ...options, basedir: rootDir })
  }
  return defaultResolver(request, options)
}
