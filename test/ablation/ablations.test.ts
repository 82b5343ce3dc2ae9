import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MarkdownDocument, root } from '../docs/markdown.js'
import { ABLATIONS, type Ablation, nameOf, patternOf, without } from './ablations.mjs'
import { outcomeOf, type Report } from './outcome.mjs'

const read = (file: string): string => readFileSync(join(root, file), 'utf8')

describe.each(ABLATIONS)('the ablation of: $mechanism', (ablation) => {
  it('finds the mechanism where it looks for it', () => {
    const text = read(ablation.file)
    expect(without(ablation, text)).not.toBe(text)
  })

  it('names a test that there is', () => {
    const { file, group, title } = ablation.test
    const [, body = ''] = read(file).split(`\ndescribe('${group}', `)
    const [tests = ''] = body.split('\ndescribe(')
    expect(tests).toContain(`'${title}'`)
  })
})

it('each has a name of its own', () => {
  const names = ABLATIONS.map(({ mechanism }) => mechanism)
  expect(names).toEqual([...new Set(names)])
})

it('the table of the README is the list of ablations', () => {
  const { rows } = new MarkdownDocument('test/README.md').table('Mechanisms and the tests that hold them')
  expect(rows).toEqual(ABLATIONS.map(rowOf))
})

function rowOf({ mechanism, without: consequence, test }: Ablation): string[] {
  const path = test.file.replace(/^test\//, '')
  return [mechanism, consequence, `[${path}](${path}): ${nameOf(test)}`]
}

describe('a mechanism that has moved', () => {
  const ablation = { mechanism: 'lease', file: 'a.ts', replace: [['wait()', 'go()']] } as unknown as Ablation

  it.each([
    ['away', 'sleep()'],
    ['to two places', 'wait()\nwait()'],
  ])('%s is an error', (_where, text) => {
    expect(() => without(ablation, text)).toThrow('lease has moved')
  })
})

describe('the outcome of a test', () => {
  const ablation = {
    test: { file: 'test/core/a.test.ts', group: 'a token (old)', title: 'is renewed in %d ms' },
    failure: 'Expected: 1',
  }
  const title = 'a token (old) is renewed in 5 ms'
  const FALLEN = 'Expected: 1\nReceived: 2'

  function report(results: readonly (readonly [fullName: string, status: string, message?: string])[]): Report {
    const assertionResults = results.map(([fullName, status, message = '']) => {
      return { fullName, status, failureMessages: [message] }
    })
    return { testResults: [{ name: '/copy/test/core/a.test.ts', message: 'cannot be compiled', assertionResults }] }
  }

  it.each<[what: string, report: Report]>([
    ['passed', report([[title, 'passed']])],
    ['failed', report([[title, 'failed', FALLEN]])],
    [
      'failed',
      report([
        [`${title} `.trim(), 'failed', FALLEN],
        ['a token (old) is shown', 'pending'],
      ]),
    ],
  ])('is: %s', (outcome, given) => {
    expect(outcomeOf(given, ablation)).toEqual({ outcome })
  })

  it.each<[what: string, why: string, report: Report]>([
    ['fails by a time-out', 'Exceeded timeout', report([[title, 'failed', 'Exceeded timeout of 5000 ms']])],
    ['does not run', 'pending', report([[title, 'pending']])],
    [
      'fails in one case only',
      'passed',
      report([
        [title, 'failed', FALLEN],
        [title.replace('5', '6'), 'passed'],
      ]),
    ],
    ['stands in a file that does not load', 'cannot be compiled', report([])],
    ['has another title', 'cannot be compiled', report([['a token (old) is shown', 'failed', FALLEN]])],
    ['stands in a file that was not run', 'was not run', { testResults: [] }],
  ])('is unclear when it %s', (_what, why, given) => {
    expect(outcomeOf(given, ablation)).toEqual({ outcome: 'unclear', why: expect.stringContaining(why) as string })
  })

  it('is that of the whole title alone', () => {
    expect(new RegExp(patternOf(ablation.test)).test(title)).toBe(true)
    expect(new RegExp(patternOf(ablation.test)).test(`${title} or more`)).toBe(false)
  })
})
