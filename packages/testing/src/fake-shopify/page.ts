import type { WireAnswer } from './wire-answer.js'

/** HTML that holds no unescaped value. */
export class Markup {
  readonly html: string

  constructor(html: string) {
    this.html = html
  }
}

/** HTML in which every value is escaped, but for {@link Markup}. */
export function markup(
  parts: TemplateStringsArray,
  ...values: readonly (string | Markup | readonly Markup[])[]
): Markup {
  const inserted = values.map((value) => {
    if (typeof value === 'string') return escaped(value)
    return value instanceof Markup ? value.html : value.map(({ html }) => html).join('')
  })
  return new Markup(parts.map((part, index) => part + (inserted[index] ?? '')).join(''))
}

/** A page of Shopify's. No other page may frame it, as none may frame Shopify's. */
export function page(title: string, body: Markup, status = 200): WireAnswer {
  const { html } = markup`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head>
<body>${body}</body>
</html>
`
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "frame-ancestors 'none'",
    'x-frame-options': 'DENY',
  }
  return { status, headers, body: html }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`)
}

const STYLE = new Markup(`
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; font: 15px/1.5 system-ui, sans-serif; color: #303030; background: #f1f1f1 }
h1 { margin: 0 0 4px; font-size: 20px }
p { margin: 0 0 16px; color: #616161 }
ul { margin: 0 0 24px; padding: 0; list-style: none; border-top: 1px solid #e3e3e3 }
li { padding: 8px 0; border-bottom: 1px solid #e3e3e3; font-family: ui-monospace, monospace; font-size: 13px }
button { padding: 8px 20px; border: 1px solid #c9c9c9; border-radius: 8px; font: inherit; background: #fff; cursor: pointer }
button.primary { border-color: #303030; color: #fff; background: #303030 }
.bar { display: flex; height: 48px; padding: 0 20px; align-items: center; color: #fff; background: #1a1a1a }
.bar b { flex: 1 }
.card { width: 480px; margin: 64px auto 0; padding: 28px; border-radius: 12px; background: #fff; box-shadow: 0 1px 3px #0003 }
.buttons { display: flex; gap: 12px; justify-content: flex-end }
.admin { display: grid; grid-template-columns: 200px 1fr; height: calc(100vh - 48px) }
nav { padding: 16px 12px; background: #ebebeb }
nav span { display: block; padding: 6px 10px; border-radius: 8px }
nav span.here { background: #fff; font-weight: 600 }
iframe { width: 100%; height: 100%; border: 0; background: #fff }
`)
