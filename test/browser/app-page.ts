/** What the page of the app is made of. */
export interface AppPageParts {
  readonly clientId: string
  readonly shop: string
  /** What the page is about. */
  readonly heading: string
}

/** Who may frame the page, as Shopify asks of embedded apps. */
export function framePolicy(shop: string): string {
  return `frame-ancestors https://${shop} https://admin.shopify.com`
}

/** The page of every app here: it shows what it fetches, and has a button for each of the app's routes. */
export function appPage({ clientId, shop, heading }: AppPageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${heading}</title>
<script data-api-key="${clientId}" src="https://cdn.shopify.com/shopifycloud/app-bridge.js"></script>
<style>${STYLE}</style>
</head>
<body>
<h1>${heading}</h1>
<p>${shop}</p>
<button data-method="GET" data-path="/products">Show products</button>
<button data-method="POST" data-path="/prices">Raise prices</button>
<output></output>
<script>${SCRIPT}</script>
</body>
</html>
`
}

const STYLE = `
body { margin: 0; padding: 28px; font: 15px/1.5 system-ui, sans-serif; color: #303030 }
h1 { margin: 0 0 4px; font-size: 22px }
p { margin: 0 0 20px; color: #616161 }
button { margin-right: 8px; padding: 7px 16px; border: 1px solid #c9c9c9; border-radius: 8px; font: inherit; background: #fff }
output { display: block; margin-top: 20px; padding: 14px 18px; border-radius: 8px; background: #f1f8f5 }
`

const SCRIPT = `
const output = document.querySelector('output')
async function call({ method, path }) {
  output.textContent = '…'
  const response = await fetch(path, { method })
  const { says, code } = await response.json()
  output.textContent = says ?? response.status + ' ' + code
}
for (const button of document.querySelectorAll('button')) button.addEventListener('click', () => call(button.dataset))
call({ method: 'GET', path: '/products' })
`
