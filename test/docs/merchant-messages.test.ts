import { MarkdownDocument } from './markdown.js'

const document = new MarkdownDocument('docs/reauthorization.md')

/** A message of docs/reauthorization.md, as it is sent. */
function message(heading: string): string {
  const section = document.section(heading)
  const [text, ...more] = document.blocks.filter(({ language, code }) => language === 'text' && section.includes(code))
  if (text === undefined || more.length > 0) throw new Error(`expected one message under "${heading}"`)
  return text.code.replaceAll(/\s+/g, ' ')
}

describe('the message before the change', () => {
  it.each([
    ['what changes', 'we are changing how [app name] signs in to Shopify'],
    ['why', "so that your store's data is better protected"],
    ['that nothing is to be done', 'You do not need to do anything'],
    ['that nothing is to be installed', 'You do not need to install the app again'],
    ['that it interrupts little or nothing', 'you will notice little or nothing'],
    ['where to get help', 'write to us at [support address]'],
  ])('says %s', (_what, words) => {
    expect(message('Message before the change')).toContain(words)
  })
})

describe('the message to the merchant of a shop that needs them', () => {
  it.each([
    ['what to do', 'Please open the app once'],
    ['where', '[url]'],
    ['that nothing is to be installed', 'You do not need to install the app again'],
    ['that nothing was lost', 'nothing was deleted'],
    ['what it means that the page asks for an installation', 'it was removed from your store'],
    ['where to get help', '[support address]'],
  ])('says %s', (_what, words) => {
    expect(message('Message to the merchant')).toContain(words)
  })
})

it.each([
  ['The message before the change', message('Message before the change')],
  ['The message to the merchant', message('Message to the merchant')],
  ['The note for support', document.section('Note for support')],
])('%s needs no dictionary', (_what, text) => {
  expect(text.length).toBeGreaterThan(500)
  expect(text).not.toMatch(/token|webhook|OAuth|API|refresh|expir|rotat/i)
})
