import type { Answer } from './run.js'
import type { Call, Late, State } from './state.js'

/** What a call does to the row or to Shopify, and what it answers, whether or not somebody still waits for that. */
export function effectOf(state: State, call: Call): { readonly state: State; readonly answer: Answer } {
  const { row, shopify, now } = state
  switch (call.at) {
    case 'get':
      return { state, answer: { brings: 'row', row } }
    case 'put': {
      const { version, json, expected } = call
      if (row.version !== expected) return { state, answer: { brings: 'conflict', row } }
      return { state: { ...state, row: row.after(version, json) }, answer: { brings: 'written', version } }
    }
    case 'fetch': {
      const { answer, next } = shopify.answer(call.credential, now)
      return { state: next === shopify ? state : { ...state, shopify: next }, answer }
    }
  }
}

/** The state once a late request or write has arrived. */
export function arrived(state: State, late: Late): State {
  return effectOf({ ...state, late: state.late.filter((each) => each !== late) }, late).state
}
