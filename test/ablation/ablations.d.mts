export interface NamedTest {
  /** From the repository's root. */
  readonly file: string
  /** The `describe` it stands in. */
  readonly group: string
  readonly title: string
}

export interface Ablation {
  readonly mechanism: string
  /** How things are without it. */
  readonly without: string
  /** Where it lives, from the repository's root. */
  readonly file: string
  /** What occurs exactly once in the file, and what comes in its place. */
  readonly replace: readonly (readonly [from: string, to: string])[]
  readonly test: NamedTest
  /** What the test's failure says: it is to fall for this reason and no other. */
  readonly failure: string
}

export declare const ABLATIONS: readonly Ablation[]
export declare function without(ablation: Ablation, text: string): string
export declare function nameOf(test: NamedTest): string
export declare function patternOf(test: NamedTest): string
