import { patternOf } from './ablations.mjs'

/**
 * How a test ended according to Jest's report: `passed` or `failed` when all of its cases did, else `unclear` with what is
 * wrong. It has failed only if it says why it should: not by a time-out, nor because its file does not load.
 */
export function outcomeOf({ testResults }, { test, failure }) {
  const suite = testResults.find(({ name }) => name.replaceAll('\\', '/').endsWith(`/${test.file}`))
  if (suite === undefined) return unclear(`${test.file} was not run`)
  const pattern = new RegExp(patternOf(test), 's')
  const cases = suite.assertionResults.filter(({ fullName }) => pattern.test(fullName))
  if (cases.length === 0) return unclear(suite.message || `${test.file} has no such test`)
  if (cases.every(({ status }) => status === 'passed')) return { outcome: 'passed' }

  const other = cases.find(({ status }) => status !== 'failed')
  if (other !== undefined) return unclear(`${other.status}: ${other.fullName}`)
  const messages = cases.map(({ failureMessages }) => failureMessages.join('\n'))
  const strange = messages.find((message) => !message.includes(failure))
  return strange === undefined ? { outcome: 'failed' } : unclear(`it does not say "${failure}", but ${strange}`)
}

function unclear(why) {
  return { outcome: 'unclear', why }
}
