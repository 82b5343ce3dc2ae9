import { invalidOption } from './option-checks.js'

/** What a scope's name looks like, `customer_` and `unauthenticated_` ones included. @see Shopify: "Shopify API access scopes" */
const NAME = /^[a-z][a-z0-9_]{0,99}$/
const READ = /^(unauthenticated_)?read_/

/** Whether `value` is the name of a scope, so that it may go into an URL. Not whether Shopify knows the scope. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/**
 * The option `scopes`: each once, without the spaces around it.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseScopes(scopes: unknown): readonly string[] {
  const names = Array.isArray(scopes)
    ? scopes.map((scope: unknown) => (typeof scope === 'string' ? scope.trim() : ''))
    : []
  if (Array.isArray(scopes) && names.every(isScope)) return [...new Set(names)]
  throw invalidOption('scopes', "a list of scopes such as ['write_products']", scopes)
}

/**
 * Those of `required` that are not `granted`. A scope that writes grants the reading too.
 *
 * @see Shopify: "Shopify API access scopes"; which scopes imply which is what the official library says
 */
export function missingScopes(granted: readonly string[], required: readonly string[]): readonly string[] {
  return required.filter((scope) => !granted.includes(scope) && !isImplied(granted, scope))
}

/** Whether none of `required` is missing. */
export function areGranted(granted: readonly string[], required: readonly string[]): boolean {
  return missingScopes(granted, required).length === 0
}

/** Whether both let the app do the same. */
export function areSameScopes(one: readonly string[], other: readonly string[]): boolean {
  return areGranted(one, other) && areGranted(other, one)
}

function isImplied(granted: readonly string[], scope: string): boolean {
  return READ.test(scope) && granted.includes(scope.replace('read_', 'write_'))
}
