import { AssertionError } from 'node:assert'
import type { ContractRunner } from '@shopify-tokens/testing'

/**
 * Runs a contract without the test runner and answers the ids of the clauses that failed. A clause may fail by its own
 * assertion only: anything else is a mistake in the fixture.
 */
export async function failedClauses(contract: (runner: ContractRunner) => void): Promise<string[]> {
  const tests: { readonly title: string; readonly body: () => Promise<void> }[] = []
  contract({
    describe: (_, body) => {
      body()
    },
    it: (title, body) => {
      tests.push({ title, body })
    },
  })
  const failed: string[] = []
  for (const { title, body } of tests) {
    try {
      await body()
    } catch (error) {
      if (!(error instanceof AssertionError)) throw new Error(`${title}: not an assertion`, { cause: error })
      failed.push(title.slice(0, 5))
    }
  }
  return failed
}
