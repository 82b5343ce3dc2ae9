import { format, inspect } from 'node:util'

/** Every way in which a value gets printed or copied by accident, each as text. */
export function prints(value: { toString(): string }): Readonly<Record<string, string>> {
  return {
    'String()': String(value),
    template: `printed: ${String(value)}`,
    concatenation: ['printed: ', value].join(''),
    'JSON.stringify': JSON.stringify(value),
    'JSON.stringify of a parent': JSON.stringify({ parent: [value] }),
    inspect: inspect(value),
    'inspect with hidden members': inspect(value, { showHidden: true, depth: Infinity }),
    'inspect of a parent': inspect({ parent: [value] }, { showHidden: true, depth: Infinity }),
    'console.dir with hidden members': inspect(value, { showHidden: true, customInspect: false, depth: Infinity }),
    '%s': format('%s', value),
    '%o': format('%o', value),
    '%O': format('%O', value),
    '%j': format('%j', value),
    '%d': format('%d', value),
    'Object.entries': inspect(Object.entries(value), { depth: Infinity }),
    'own property names': inspect(Object.getOwnPropertyDescriptors(value), { showHidden: true, depth: Infinity }),
    spread: inspect({ ...(value as object) }, { showHidden: true, depth: Infinity }),
    'Object.assign': JSON.stringify(Object.assign({}, value)),
    'error message': String(new Error(`failed with ${String(value)}`, { cause: value })),
    'error inspected': inspect(new Error('failed', { cause: value }), { showHidden: true }),
  }
}
