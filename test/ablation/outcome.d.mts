import type { Ablation } from './ablations.mjs'

/** What is read of Jest's report. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string
    /** Why a file could not be run; else its failures, or nothing. */
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

export type Outcome =
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'failed' }
  | { readonly outcome: 'unclear'; readonly why: string }

export declare function outcomeOf(report: Report, ablation: Pick<Ablation, 'test' | 'failure'>): Outcome
